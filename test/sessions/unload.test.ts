import { afterEach, expect, test } from "bun:test";
import { Rig, closeRigs } from "./rig.ts";

afterEach(closeRigs);

const soon = { sessions: { idleUnloadMs: 10_000 } };

test("a session idle for long enough is unloaded, and the next message loads it with all it had", async () => {
  const rig = await Rig.start(soon);
  await rig.create("a", { provider: "second", model: "special" }, "Be brief.");
  await rig.post("a", "1");
  await rig.untilAllEnded();
  const idleSince = rig.clock.now();
  await rig.until("it is unloaded", () => rig.registry.size === 0);
  expect(rig.clock.now() - idleSince).toBeGreaterThanOrEqual(10_000);
  expect(rig.clock.now() - idleSince).toBeLessThanOrEqual(20_000);
  expect(rig.told("session.unloaded")).toEqual([{ session: "a" }]);
  await rig.clock.settle();
  expect(rig.timers).toBe(0);
  await rig.post("a", "2");
  await rig.untilAllEnded();
  expect(rig.provider.calls[1]).toMatchObject({
    content: "2",
    system: "Be brief.",
    config: { model: "special" },
    turns: [
      { role: "user", content: "1" },
      { role: "assistant", content: "special: 1" },
    ],
  });
  expect((await rig.store.sessions.get("a"))?.turns).toBe(2);
});

test("a session that works or waits is not unloaded", async () => {
  const rig = await Rig.start(soon);
  rig.provider.answer = ({ session }) =>
    session === "busy" ? { afterMs: 100_000 } : { refusal: { kind: "overloaded" } };
  await rig.post("busy", "1");
  await rig.edit({ turn: { retryMs: 250_000 } });
  await rig.create("waits", { provider: "second" });
  await rig.post("waits", "1");
  await rig.clock.advance(90_000);
  expect([...rig.registry.loaded()].map(({ id }) => id).sort()).toEqual(["busy", "waits"]);
});

test("a restart is no activity: a session is unloaded as soon as it would have been without it", async () => {
  const rig = await Rig.start(soon);
  await rig.create("a");
  await rig.clock.advance(9000);
  await rig.edit({ provider: "second" });
  await rig.clock.advance(1500);
  expect(rig.registry.size).toBe(0);
});

test("a shorter time in force unloads who has been idle for it", async () => {
  const rig = await Rig.start({ sessions: { idleUnloadMs: 3_600_000 } });
  await rig.create("a");
  await rig.clock.advance(60_000);
  await rig.edit({ sessions: { idleUnloadMs: 5000 } });
  await rig.clock.advance(5000);
  expect(rig.registry.size).toBe(0);
});

test("an unloaded session takes the newest settings when it is loaded, without a restart", async () => {
  const rig = await Rig.start(soon);
  await rig.create("a");
  await rig.until("it is unloaded", () => rig.registry.size === 0);
  await rig.edit({ provider: "second" });
  await rig.post("a", "1");
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ provider: "second", revision: 2 });
  expect(rig.told("session.restarted")).toEqual([]);
});

test("a session unloaded while its rollout step was still to come does not hold up the rollout", async () => {
  const rig = await Rig.start({ ...soon, reload: { staggerMs: 30_000 } });
  await rig.createMany(["a", "b", "c"]);
  await rig.clock.advance(5000);
  await rig.edit({ provider: "second" });
  await rig.clock.advance(30_000);
  expect(rig.registry.size).toBe(0);
  expect(rig.registry.rollout).toMatchObject({ state: "finished", done: 3 });
});

test("a message that comes in the moment of unloading is taken", async () => {
  const rig = await Rig.start(soon);
  await rig.create("a");
  const sweepAt = rig.clock.nextAt ?? 0;
  await rig.clock.advance(sweepAt - rig.clock.now() - 1);
  const posting = rig.post("a", "1");
  await rig.clock.advance(1);
  await posting;
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]?.status).toBe("done");
});
