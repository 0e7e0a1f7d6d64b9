import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { NewEvent } from "../../src/core/events.ts";
import { Rollout, sessionsPerStep } from "../../src/sessions/rollout.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** A rollout over idle sessions that restart when they are told to, and the times at which they were. */
function setup(count: number, staggerMs: number, others = 0) {
  const clock = new ManualClock(0);
  const told: NewEvent[] = [];
  const followed = new Map<string, number>();
  const notDue = new Set<string>();
  const sessions = (prefix: string, many: number) =>
    Array.from({ length: many }, (_, index) => {
      const id = `${prefix}${index + 1}`;
      return {
        id,
        follow: () => {
          if (notDue.has(id)) return false;
          followed.set(id, clock.now());
          rollout.passed(id);
          return true;
        },
      };
    });
  const rollout: Rollout = new Rollout({
    clock,
    staggerMs: () => staggerMs,
    tell: (event) => told.push(event),
    revision: 7,
    idle: sessions("i", count),
    others: sessions("o", others),
  });
  return { clock, told, followed, notDue, rollout };
}

test("one session restarts at once, then as many at each step as it takes to end within a minute", () => {
  expect(sessionsPerStep(1, 2000)).toBe(1);
  expect(sessionsPerStep(31, 2000)).toBe(1);
  expect(sessionsPerStep(32, 2000)).toBe(2);
  expect(sessionsPerStep(1000, 2000)).toBe(34);
  expect(sessionsPerStep(10_000, 2000)).toBe(334);
  expect(sessionsPerStep(0, 2000)).toBe(1);
});

test("without a pause between steps all restart at once", async () => {
  const { rollout, followed } = setup(500, 0);
  rollout.start();
  expect(followed.size).toBe(500);
  expect(new Set(followed.values())).toEqual(new Set([0]));
});

test("whatever the number of sessions and the pause, all have restarted within a minute, in order", async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 400 }),
    fc.oneof(fc.nat(70_000), fc.nat(3_600_000)),
    async (count, staggerMs) => {
      const { rollout, clock, followed } = setup(count, staggerMs);
      rollout.start();
      for (let step = 0; clock.nextAt !== undefined; step++) {
        expect(step).toBeLessThan(20_000);
        await clock.advance(clock.nextAt - clock.now());
      }
      expect(followed.size).toBe(count);
      const times = [...followed.values()];
      expect(times[0]).toBe(0);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.at(-1)).toBeLessThanOrEqual(60_000);
      expect([...followed.keys()]).toEqual(times.map((_, index) => `i${index + 1}`));
    },
  );
  await fc.assert(property, { seed: 5, numRuns: 12 });
});

test("a rollout tells how it begins, how far it is and when it has ended", async () => {
  const { rollout, clock, told } = setup(3, 2000, 1);
  rollout.start();
  expect(told).toEqual([{ type: "rollout.started", data: { revision: 7, total: 4 } }]);
  await clock.advance(4000);
  expect(rollout.status).toEqual({ revision: 7, total: 4, done: 3, state: "running" });
  rollout.passed("o1");
  await clock.settle();
  expect(rollout.status).toEqual({ revision: 7, total: 4, done: 4, state: "finished" });
  expect(told.map(({ type }) => type)).toEqual([
    "rollout.started",
    "rollout.progressed",
    "rollout.progressed",
    "rollout.progressed",
    "rollout.progressed",
    "rollout.finished",
  ]);
  expect(clock.waiting).toBe(0);
});

test("a session that is no longer due at its step counts as done and takes no place in the step", async () => {
  const { rollout, clock, followed, notDue } = setup(3, 2000);
  rollout.start();
  notDue.add("i2");
  await clock.advance(2000);
  expect([...followed.keys()]).toEqual(["i1", "i3"]);
  expect(rollout.status.state).toBe("finished");
});

test("a session that restarted by itself meanwhile is passed over", async () => {
  const { rollout, clock, followed } = setup(3, 2000);
  rollout.start();
  rollout.passed("i2");
  await clock.advance(2000);
  expect(followed.get("i3")).toBe(2000);
  expect(followed.has("i2")).toBe(false);
});

test("a rollout that others have finished for it waits for no step", async () => {
  const { rollout, clock } = setup(3, 60_000);
  rollout.start();
  rollout.passed("i2");
  rollout.passed("i3");
  await clock.settle();
  expect(rollout.status.state).toBe("finished");
  expect(clock.waiting).toBe(0);
});

test("a rollout whose place is taken takes no further step", async () => {
  const { rollout, clock, followed, told } = setup(5, 2000);
  rollout.start();
  await clock.settle();
  rollout.supersede();
  rollout.supersede();
  expect(clock.waiting).toBe(0);
  expect([...followed.keys()]).toEqual(["i1"]);
  expect(rollout.status).toEqual({ revision: 7, total: 5, done: 1, state: "superseded" });
  expect(told.at(-1)).toEqual({ type: "rollout.superseded", data: { revision: 7, done: 1, total: 5 } });
  rollout.passed("i2");
  await clock.settle();
  expect(told.at(-1)?.type).toBe("rollout.superseded");
});
