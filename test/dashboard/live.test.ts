import { afterEach, expect, test } from "bun:test";
import { LiveCopy } from "../../src/dashboard/live/live-copy.ts";
import { MessageLog } from "../../src/dashboard/live/message-log.ts";
import { RecentEvents } from "../../src/dashboard/live/recent-events.ts";
import { SessionList } from "../../src/dashboard/live/session-list.ts";
import { startApp, stopApps } from "../http/daemon-app.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { DaemonApi } from "./daemon-api.ts";

afterEach(stopApps);

test("a thousand hints are one request at once and one more when the pause is over", async () => {
  const clock = new ManualClock();
  let loads = 0;
  const copy = new LiveCopy({ clock, load: async () => (loads += 1), pauseMs: 100 });
  const unwatch = copy.watch();
  await clock.settle();
  expect(copy.value.value).toBe(1);
  for (let hint = 0; hint < 1000; hint += 1) copy.touch();
  await clock.advance(99);
  expect(copy.value.value).toBe(1);
  await clock.advance(1);
  expect(copy.value.value).toBe(2);
  await clock.advance(1000);
  expect(loads).toBe(2);
  unwatch();
});

test("a copy that nobody watches asks for nothing, and for the news when somebody does", async () => {
  const clock = new ManualClock();
  let loads = 0;
  const copy = new LiveCopy({ clock, load: async () => (loads += 1), pauseMs: 100 });
  copy.touch();
  await clock.advance(1000);
  expect(loads).toBe(0);
  const unwatch = copy.watch();
  await clock.advance(100);
  unwatch();
  copy.touch();
  await clock.advance(1000);
  expect(loads).toBe(1);
});

test("what happens while a copy is asked for makes it stale again", async () => {
  const clock = new ManualClock();
  const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let asked = 0;
  const load = (): Promise<string> =>
    answers[asked++]?.promise ?? Promise.reject(new Error("asked too often"));
  const copy = new LiveCopy({ clock, load, pauseMs: 100 });
  const unwatch = copy.watch();
  copy.touch();
  answers[0]?.resolve("old");
  answers[1]?.resolve("new");
  await clock.advance(100);
  expect(copy.value.value).toBe("new");
  await clock.advance(100);
  unwatch();
});

test("a failure is said, and the last copy stays", async () => {
  const clock = new ManualClock();
  const answers = ["good"];
  const load = async (): Promise<string> => {
    const answer = answers.shift();
    if (answer === undefined) throw new SyntaxError("not JSON");
    return answer;
  };
  const copy = new LiveCopy({ clock, load, pauseMs: 100 });
  const unwatch = copy.watch();
  await clock.advance(100);
  copy.touch();
  await clock.advance(100);
  expect([copy.value.value, copy.failure.value]).toEqual(["good", "the answer could not be read"]);
  unwatch();
});

test("of a few stale sessions those alone are asked for, of many all; deleted ones go, new ones come first", async () => {
  const app = await startApp();
  const api = new DaemonApi(app);
  for (let index = 0; index < 40; index += 1) {
    await app.ask("/api/sessions", { json: { id: `s${index}` } });
    await app.clock.advance(1);
  }
  const list = new SessionList(api, app.clock);
  const unwatch = list.watch();
  await app.clock.advance(300);
  expect(list.all.value?.size).toBe(40);
  expect(api.asked).toEqual(["api/sessions?limit=1000"]);

  await app.ask("/api/sessions/s3", { method: "DELETE" });
  await app.ask("/api/sessions", { json: { id: "new" } });
  await app.ask("/api/sessions/s5", { method: "PATCH", json: { title: "Five" } });
  for (const [type, session] of [
    ["session.deleted", "s3"],
    ["session.created", "new"],
    ["session.busy", "s5"],
  ] as const)
    list.observe({ id: 1, type, data: { session } });
  await app.clock.advance(300);
  const ids = [...(list.all.value?.keys() ?? [])];
  expect(ids).toHaveLength(40);
  expect(ids.slice(0, 2)).toEqual(["new", "s39"]);
  expect(list.all.value?.get("s5")?.title).toBe("Five");
  expect(api.asked.slice(1).toSorted()).toEqual(["api/sessions/new", "api/sessions/s5"]);

  for (let index = 10; index < 40; index += 1)
    list.observe({ id: 2, type: "session.busy", data: { session: `s${index}` } });
  await app.clock.advance(600);
  expect(api.asked.slice(3)).toEqual(["api/sessions?limit=1000"]);
  unwatch();
});

test("of a long conversation the end is shown first, and what came before when it is wanted", async () => {
  const app = await startApp({ limits: { maxPendingPerSession: 10_000 } });
  const lines = Array.from({ length: 730 }, (_, index) =>
    JSON.stringify({ content: `message ${index + 1}` }),
  );
  const headers = { "Content-Type": "application/x-ndjson" };
  await app.ask("/api/sessions", { json: { id: "long" } });
  expect((await app.ask("/api/sessions/long/messages", { body: lines.join("\n"), headers })).status).toBe(
    202,
  );
  const log = new MessageLog({ api: new DaemonApi(app), clock: app.clock, session: "long" });
  const unwatch = log.watch();
  await app.clock.advance(200);
  const seqs = (): number[] => log.all.value?.map(({ seq }) => seq) ?? [];
  expect([seqs().at(0), seqs().at(-1), log.hasEarlier.value]).toEqual([631, 730, true]);
  log.loadEarlier();
  await app.clock.advance(200);
  expect([seqs().at(0), seqs().at(-1)]).toEqual([531, 730]);
  unwatch();
});

test("events that come together are shown together, the newest first, and no more than can be looked at", () => {
  const frames: (() => void)[] = [];
  const recent = new RecentEvents((task) => frames.push(task));
  const at = "2026-01-01T00:00:00.000Z";
  for (let id = 1; id <= 500; id += 1) recent.add({ id, type: "session.idle", data: { at } });
  recent.add({ id: undefined, type: "events.gap", data: { at } });
  expect([frames.length, recent.all.value.length]).toEqual([1, 0]);
  frames[0]?.();
  expect(recent.all.value.slice(0, 2).map(({ id }) => id)).toEqual([500, 499]);
  expect(recent.all.value).toHaveLength(300);
});
