import { isoTime } from "../core/clock.ts";
import type { SessionSnapshot } from "../store/checkpoints.ts";
import { type Loaded, representMessage, representSession } from "./representation.ts";
import type { Services } from "./services.ts";

const sessionsPerPage = 100;

/** What a checkpoint ends with, and nothing in it contains: one that was cut does not end so. */
const checkpointEnd = "]}\n";

/**
 * A checkpoint as JSON text (contract section 7): each session of one moment, read as it is written. It holds no
 * secret and no proof of a binding; what users wrote in messages is theirs and passes as it is.
 */
export async function* checkpointJson(services: Services): AsyncGenerator<string, void, void> {
  const { clock, store, streams, core, daemon } = services;
  const { instanceId } = daemon();
  const head = JSON.stringify({ version: 1, takenAt: isoTime(clock.now()), instanceId });
  yield `${head.slice(0, -1)},"sessions":[`;
  const active: object[] = [];
  let separator = "\n";
  let cursor: string | null = null;
  do {
    const page = await store.sessions.list({}, { limit: sessionsPerPage, cursor });
    for (const { id } of page.items) {
      const snapshot = await store.checkpoints.session(id);
      // 1. Deleted since its page was read.
      if (!snapshot) continue;
      active.push(...activeIn(snapshot, streams.subscribersOf(id)));
      yield separator + JSON.stringify(representSnapshot(snapshot, core()));
      separator = ",\n";
    }
    cursor = page.next;
  } while (cursor !== null);
  yield `],"active":[${active.map((message) => JSON.stringify(message)).join(",")}${checkpointEnd}`;
}

function representSnapshot({ session, context, notes, queue }: SessionSnapshot, loaded: Loaded) {
  return {
    ...representSession(session, loaded),
    context: context.map(representKept),
    notes: notes.map(({ text, at, message }) => ({ text, at: isoTime(at), message })),
    queue: queue.map(representKept),
  };
}

function representKept(message: SessionSnapshot["queue"][number]) {
  const shown = representMessage(message);
  return message.isSummary ? { ...shown, isSummary: true } : shown;
}

function activeIn({ session, queue }: SessionSnapshot, subscribers: number): object[] {
  return queue
    .filter(({ status }) => status === "running")
    .map(({ id, startedAt }) => ({
      message: id,
      session: session.id,
      startedAt: startedAt === null ? null : isoTime(startedAt),
      subscribers,
    }));
}
