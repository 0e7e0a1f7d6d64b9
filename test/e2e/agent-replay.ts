import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { identityOf, type SentEvent } from "../fixtures/agent-events.ts";
import { eventually } from "../support/eventually.ts";
import type { Segue } from "../support/segue.ts";
import type { MessageAnswer } from "./answers.ts";
import { messagesOf } from "./conversations.ts";

/** A coding agent's events on their way to a daemon: the sittings side by side, each in its order. */
export class AgentReplay {
  /** How many were answered. */
  sent = 0;
  /** How often one was sent again because its answer did not come. */
  repeats = 0;
  /** Milliseconds of each answer. */
  readonly durations: number[] = [];
  readonly #daemon: () => Promise<Segue>;

  /** `daemon` resolves with the daemon to speak to, once there is one. */
  constructor(daemon: () => Promise<Segue>) {
    this.#daemon = daemon;
  }

  /** Resolves when every event has been answered. */
  async post(events: readonly SentEvent[]): Promise<void> {
    const sittings = Map.groupBy(events, ({ event }) => event.session_id);
    await Promise.all(
      Array.from(sittings.values(), async (sitting) => {
        for (const sent of sitting) await this.#postOne(sent);
      }),
    );
  }

  /** Resolves when so many have been answered. */
  async until(count: number): Promise<void> {
    await eventually(`${count} events are answered`, () => this.sent >= count, 60_000);
  }

  async #postOne(sent: SentEvent): Promise<void> {
    while (!(await this.#isAnswered(sent))) {
      this.repeats += 1;
      // What has no number of a call cannot be told from a second one: it is sent again only if it is not there.
      if (sent.event.tool_use_id === undefined && (await this.#isStored(sent))) break;
    }
    this.sent += 1;
  }

  async #isAnswered({ line }: SentEvent): Promise<boolean> {
    const daemon = await this.#daemon();
    const began = performance.now();
    const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: line };
    const response = await daemon.request("/hooks/claude-code", init).catch(() => undefined);
    const body = await response?.text().catch(() => undefined);
    if (response === undefined || body === undefined) return false;
    if (response.status !== 200 || body !== "{}")
      throw new Error(`an event was answered ${response.status}: ${body}`);
    this.durations.push(performance.now() - began);
    return true;
  }

  async #isStored({ event }: SentEvent): Promise<boolean> {
    const daemon = await this.#daemon();
    const stored = await messagesOf(daemon, `claude-code:${event.session_id}`).catch(() => []);
    return stored.some((message) => identityOfMessage(message) === identityOf(event));
  }
}

/** Which event a message tells of. */
function identityOfMessage({ content }: MessageAnswer): string {
  return identityOf(JSON.parse(content.split("\n", 1)[0] ?? ""));
}

/** Resolves when nothing is pending and nothing in flight. */
export async function untilProcessed(daemon: Segue): Promise<void> {
  await eventually(
    "everything is processed",
    async () => {
      const stats = await daemon.get<{ pendingMessages: number; busySessions: number }>("/api/stats");
      return stats.pendingMessages === 0 && stats.busySessions === 0;
    },
    60_000,
  );
}

/** Fails unless each session has exactly these messages, in this order, all done; answers with them. */
export async function expectProcessed(
  daemon: Segue,
  expected: ReadonlyMap<string, readonly string[]>,
): Promise<MessageAnswer[]> {
  const { items } = await daemon.get<{ items: { id: string }[] }>("/api/sessions?limit=1000");
  expect(items.map(({ id }) => id).toSorted()).toEqual([...expected.keys()].toSorted());
  const all: MessageAnswer[] = [];
  for (const [session, identities] of expected) {
    const messages = await messagesOf(daemon, session);
    expect(messages.map(identityOfMessage)).toEqual([...identities]);
    expect(messages.filter(({ status }) => status !== "done")).toEqual([]);
    all.push(...messages);
  }
  return all;
}

/** Which of these texts stand in a file of the folder, whatever file it is. */
export function foundIn(folder: string, texts: readonly string[]): string[] {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const held = files.map(({ name }) => readFileSync(join(folder, name), "latin1"));
  return texts.filter((text) => held.some((content) => content.includes(text)));
}
