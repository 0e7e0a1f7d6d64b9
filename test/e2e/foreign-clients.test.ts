import { expect, setDefaultTimeout, test } from "bun:test";
import { EventSource } from "eventsource";
import { CutLine } from "../support/cut-line.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { cleanEnv, runChild } from "../support/processes.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer } from "./answers.ts";

setDefaultTimeout(60_000);

/** Every type that these tests bring about: an event source hears only what it listens for by name. */
const types = [
  ...["created", "loaded", "idle", "busy", "waiting", "unloaded", "recovered", "deleted"].map(
    (name) => `session.${name}`,
  ),
  ...["accepted", "started", "done", "failed", "requeued", "cancelled"].map((name) => `message.${name}`),
  ...["planned", "changed", "rejected"].map((name) => `settings.${name}`),
  ...["started", "draining", "restarted", "stopping"].map((name) => `daemon.${name}`),
];

/** A client of event streams by the standard, and not of ours (WHATWG HTML, "The EventSource interface"). */
class Listener {
  readonly ids: number[] = [];
  opened = 0;
  readonly #source: EventSource;

  constructor(url: string) {
    this.#source = new EventSource(url);
    this.#source.addEventListener("open", () => (this.opened += 1));
    for (const type of types)
      this.#source.addEventListener(type, ({ lastEventId }) => this.ids.push(Number(lastEventId)));
  }

  /** Waits until it has heard so much. */
  async heard(id: number): Promise<void> {
    await eventually(`event ${id}`, () => this.ids.includes(id));
  }

  /** Waits until it has come back so often. */
  async reopened(times: number): Promise<void> {
    await eventually("its return", () => this.opened >= times);
  }

  close(): void {
    this.#source.close();
  }
}

async function say(segue: Segue, session: string, content: string): Promise<void> {
  const path = `/api/sessions/${session}/messages`;
  await segue.post<MessageAnswer>(path, { content }, { Prefer: "wait=30" });
}

/** The ids of all stored events up to the end of the last message. */
async function storedIds(segue: Segue, session: string): Promise<number[]> {
  const { items } = await segue.get<{ items: MessageAnswer[] }>(`/api/sessions/${session}/messages`);
  const last = items.at(-1)?.id;
  const ids: number[] = [];
  for await (const { id, type, data } of segue.events(0)) {
    if (id !== undefined) ids.push(id);
    if (type === "message.done" && data["message"] === last) break;
  }
  return ids;
}

test("an EventSource that is cut, and whose daemon restarts, stops and is killed, hears of every event once", async () => {
  const port = await freePort();
  let segue = await startSegue({ port });
  const line = CutLine.to(port);
  const listener = new Listener(`${line.url}/api/events?after=0`);
  await listener.reopened(1);
  await say(segue, "a", "one");
  expect(line.cut()).toBeGreaterThan(0);
  await say(segue, "a", "while it is away");
  await listener.reopened(2);
  await segue.post("/api/daemon/restart");
  await segue.nextEvent(0, ({ type }) => type === "daemon.restarted");
  await say(segue, "a", "after a restart");
  await listener.reopened(3);
  await segue.kill();
  segue = await segue.restart({ port });
  await say(segue, "b", "after a crash");
  await listener.reopened(4);
  await segue.stop();
  segue = await segue.restart({ port });
  await say(segue, "c", "after a stop");
  const expected = await storedIds(segue, "c");
  await listener.heard(expected.at(-1) ?? 0);
  expect(listener.ids.slice(0, expected.length)).toEqual(expected);
  expect(listener.opened).toBeGreaterThanOrEqual(5);
  listener.close();
  line.close();
  await segue.stop();
});

test.skipIf(!Bun.which("promtool"))("promtool finds nothing wrong with the figures", async () => {
  const settings = { providers: { bad: { kind: "command", model: "m", argv: ["/bin/false"] } } };
  const segue = await startSegue({ settings: { ...settings, turn: { maxAttempts: 1 } } });
  await say(segue, "a", "hello");
  await segue.post("/api/sessions", { id: "b", provider: "bad" });
  await say(segue, "b", "fails");
  const stdin = await (await segue.request("/metrics")).text();
  expect(stdin).toContain('segue_turns_total{provider="bad",outcome="failed"} 1');
  const folder = makeFolder("promtool");
  const found = await runChild({ command: ["promtool", "check", "metrics"], env: cleanEnv(folder), stdin });
  expect(found).toEqual({ exitCode: 0, signal: null, stdout: "", stderr: "" });
  await segue.stop();
});
