import { expect, test } from "bun:test";
import { HintBatch, type HintPace } from "../../src/watch/hint-batch.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** What was told, and how many milliseconds after the start. */
function setup(pace: HintPace) {
  const clock = new ManualClock();
  const from = clock.now();
  const told: [string, number][] = [];
  const batch = new HintBatch({ clock, pace, tell: (kind) => told.push([kind, clock.now() - from]) });
  return { clock, batch, told };
}

test("without a pace each hint is told at once", () => {
  const { batch, told, clock } = setup({});
  batch.add("armed");
  batch.add("event");
  batch.add("event");
  expect({ told, waiting: clock.waiting }).toEqual({
    told: [
      ["armed", 0],
      ["event", 0],
      ["event", 0],
    ],
    waiting: 0,
  });
});

test("hints of one batch are told as one, at its end, as the most telling of them", async () => {
  const { batch, told, clock } = setup({ batchMs: 50 });
  batch.add("poll");
  await clock.advance(30);
  batch.add("event");
  batch.add("armed");
  await clock.advance(19);
  expect(told).toEqual([]);
  await clock.advance(1);
  batch.add("poll");
  await clock.advance(1000);
  expect(told).toEqual([
    ["event", 50],
    ["poll", 100],
  ]);
});

test("with a limit the first hint is told at once, and what comes too early as one when its time has come", async () => {
  const { batch, told, clock } = setup({ everyMs: 100 });
  for (let n = 0; n < 25; n++) {
    batch.add("event");
    await clock.advance(10);
  }
  await clock.advance(1000);
  batch.add("event");
  expect(told.map(([, at]) => at)).toEqual([0, 100, 200, 300, 1250]);
});

test("with both, a batch that ends too early waits for the limit", async () => {
  const { batch, told, clock } = setup({ batchMs: 10, everyMs: 100 });
  batch.add("event");
  await clock.advance(20);
  batch.add("event");
  await clock.advance(1000);
  expect(told.map(([, at]) => at)).toEqual([10, 110]);
});

test("a clock that is set back makes no wait longer than the limit", async () => {
  let backMs = 0;
  class ClockSetBack extends ManualClock {
    override now(): number {
      return super.now() - backMs;
    }
  }
  const clock = new ClockSetBack();
  const told: string[] = [];
  const batch = new HintBatch({ clock, pace: { everyMs: 100 }, tell: (kind) => told.push(kind) });
  batch.add("armed");
  backMs = 3_600_000;
  batch.add("event");
  await clock.advance(100);
  expect(told).toEqual(["armed", "event"]);
});

test("what was cleared is not told, and leaves no timer", async () => {
  const { batch, told, clock } = setup({ batchMs: 50 });
  batch.add("event");
  batch.clear();
  expect(clock.waiting).toBe(0);
  await clock.advance(100);
  batch.add("armed");
  await clock.advance(50);
  expect(told).toEqual([["armed", 150]]);
});
