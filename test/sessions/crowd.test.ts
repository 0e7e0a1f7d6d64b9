import { afterEach, expect, test } from "bun:test";
import { Rig, closeRigs, first, second } from "./rig.ts";

afterEach(closeRigs);

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `s${index + 1}`);
}

test.each([1000, 10_000])(
  "%d idle sessions change provider within a minute, without a call",
  async (count) => {
    const rig = await Rig.start();
    await rig.createMany(names(count));
    const editedAt = rig.clock.now();
    await rig.edit({ provider: "second" });
    await rig.until("the rollout ends", () => rig.registry.rollout?.state === "finished");
    expect(rig.clock.now() - editedAt).toBeLessThanOrEqual(60_000);
    expect(rig.registry.rollout).toEqual({ revision: 2, total: count, done: count, state: "finished" });
    for (const session of rig.registry.loaded()) expect(session.binding.provider).toBe("second");
    expect(rig.provider.calls).toEqual([]);
  },
);

test("a thousand sessions that get a message after the switch never have more turns at once than allowed", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 4 } });
  const ids = names(1000);
  await rig.createMany(ids);
  await rig.edit({ provider: "second" });
  await Promise.all(ids.map((id) => rig.post(id, "hello")));
  await rig.untilAllEnded();
  expect(rig.provider.to(second)).toHaveLength(1000);
  expect(rig.provider.calls).toHaveLength(1000);
  expect(rig.provider.peak()).toBe(4);
  expect(rig.told("session.restarted")).toHaveLength(1000);
});

test("200 busy sessions with 20 queued messages each change after their turn, not after their queue", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 200 } });
  const ids = names(200);
  const contents = Array.from({ length: 21 }, (_, index) => `${index + 1}`);
  // Proven before, so that 200 may run together.
  await rig.post("proves", "hello");
  await rig.untilAllEnded();
  await Promise.all(ids.map((id) => rig.post(id, ...contents)));
  await rig.until("all are in a turn", () => rig.provider.running().length === 200);
  await rig.clock.advance(500);
  await rig.edit({ provider: "second", limits: { turnsPerProvider: 4 } });
  expect(rig.told("session.restart_deferred")).toHaveLength(0);
  await rig.untilAllEnded();
  expect(rig.told("session.restart_deferred").length).toBeGreaterThanOrEqual(200);
  expect(rig.provider.to(first)).toHaveLength(201);
  expect(rig.provider.to(second)).toHaveLength(200 * 20);
  expect(rig.provider.peak((call) => call.config.endpoint === second)).toBe(4);
  expect(rig.provider.calls.every((call) => call.end === "answered")).toBe(true);
  for (const { seq, session, provider, status, attempts } of await rig.allMessages())
    if (session !== "proves")
      expect([status, attempts, provider]).toEqual(["done", 1, seq === 1 ? "first" : "second"]);
  expect(rig.told("session.restarted").filter(({ session }) => session !== "proves")).toHaveLength(200);
}, 30_000);

test("while a start loads many sessions with something pending, the event loop turns for others", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 1 } });
  const ids = names(1000);
  await Promise.all(ids.map((id) => rig.post(id, "hello")));
  await rig.crash();
  const started = new AbortController();
  const loaded = new Set<number>();
  const booting = rig.boot().finally(() => started.abort());
  while (!started.signal.aborted) {
    await new Promise((resolve) => setImmediate(resolve));
    loaded.add(rig.isUp ? rig.registry.size : 0);
  }
  await booting;
  expect(loaded.size).toBeGreaterThan(10);
  await rig.untilAllEnded();
});
