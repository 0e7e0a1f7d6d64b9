import { expect, test } from "bun:test";
import type { EventType, StoredEvent } from "../../src/core/events.ts";
import { TurnMeter } from "../../src/http/turn-meter.ts";

function event(type: EventType, message: string, more: Record<string, unknown> = {}): StoredEvent {
  const at = "2026-01-01T00:00:00.000Z";
  const data = JSON.stringify({ at, session: "a", message, seq: 1, ...more });
  return { id: 1, type, session: "a", data };
}

const started = { provider: "echo" };

test("of a batch the turn ends with its last message, and has the tokens of the one that has them", () => {
  const meter = new TurnMeter();
  const usage = { inputTokens: 7, outputTokens: 3 };
  const events = [
    event("message.started", "m1", started),
    event("message.started", "m2", started),
    event("message.done", "m1", { usage: null }),
    event("message.done", "m2", { usage, at: "2026-01-01T00:00:01.500Z" }),
  ];
  expect(events.map((one) => meter.observe(one))).toEqual([
    undefined,
    undefined,
    undefined,
    { provider: "echo", outcome: "done", seconds: 1.5, usage },
  ]);
});

test("a message that is cancelled before its turn, or whose turn began before, ends none", () => {
  const meter = new TurnMeter();
  meter.observe(event("message.started", "m1", started));
  expect(meter.observe(event("message.cancelled", "m2"))).toBeUndefined();
  expect(meter.observe(event("message.failed", "m3"))).toBeUndefined();
  expect(meter.observe(event("message.requeued", "m1"))).toMatchObject({ outcome: "requeued" });
  expect(meter.observe(event("message.requeued", "m1"))).toBeUndefined();
});

test("a clock that was set back makes no turn shorter than nothing", () => {
  const meter = new TurnMeter();
  meter.observe(event("message.started", "m1", started));
  expect(meter.observe(event("message.failed", "m1", { at: "2025-12-31T00:00:00.000Z" }))).toMatchObject({
    outcome: "failed",
    seconds: 0,
    usage: null,
  });
});
