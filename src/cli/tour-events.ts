import * as v from "valibot";
import type { DaemonClient } from "./client.ts";
import type { Evidence } from "./tour-account.ts";

/** What the daemon's stored events tell of the messages. */
export interface ToldByEvents extends Pick<Evidence, "endings" | "putBackByEdits"> {
  /** How many messages were in flight when the daemon was killed, and were taken up again. */
  resumed: number;
}

const path = "/api/events?after=0&type=message.done,message.failed,message.cancelled,message.requeued";
const eventData = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ message: v.string(), reason: v.optional(v.string()) }),
);

/** Reads the events from the oldest, over every restart, until `count` messages have ended or `signal` aborts. */
export async function readTold(
  client: DaemonClient,
  count: number,
  signal: AbortSignal,
): Promise<ToldByEvents> {
  const told: ToldByEvents = { endings: [], putBackByEdits: 0, resumed: 0 };
  const ended = new Set<string>();
  for await (const event of client.events(path, { signal })) {
    const { message, reason } = v.parse(eventData, event.data);
    if (reason === "crash") told.resumed += 1;
    if (reason === "restart") told.putBackByEdits += 1;
    if (event.type === "message.requeued") continue;
    told.endings = [...told.endings, message];
    ended.add(message);
    if (ended.size >= count) break;
  }
  return told;
}
