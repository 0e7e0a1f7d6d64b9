import { afterEach, describe, expect, jest, test } from "bun:test";
import { getEventListeners } from "node:events";
import { isoTime, sleepOn, systemClock } from "../../src/core/clock.ts";
import { ManualClock } from "../support/manual-clock.ts";

afterEach(() => {
  jest.useRealTimers();
});

/** Timers of the machine that fire when the test says so. */
function fakeTimers(): string[] {
  jest.useFakeTimers();
  return [];
}

describe("the machine's clock", () => {
  test("runs a task once, after its time and not before", () => {
    const fired = fakeTimers();
    systemClock.after(1000, () => fired.push("fired"));
    expect(fired).toEqual([]);
    jest.advanceTimersByTime(999);
    expect(fired).toEqual([]);
    jest.advanceTimersByTime(1);
    jest.advanceTimersByTime(100_000);
    expect(fired).toEqual(["fired"]);
  });

  test("never runs a task at once, not even one that is overdue", () => {
    const fired = fakeTimers();
    systemClock.after(-5, () => fired.push("fired"));
    expect(fired).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(fired).toEqual(["fired"]);
  });

  test("forgets a task that is cancelled, and does not mind being told twice", () => {
    const fired = fakeTimers();
    const cancel = systemClock.after(10, () => fired.push("fired"));
    cancel();
    cancel();
    jest.advanceTimersByTime(100);
    expect(fired).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("waits longer than one timer of the machine can", () => {
    const fired = fakeTimers();
    const month = 31 * 24 * 60 * 60 * 1000;
    systemClock.after(month, () => fired.push("fired"));
    jest.advanceTimersByTime(month - 1);
    expect(fired).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(fired).toEqual(["fired"]);
  });

  test("forgets such a task too, also after its first part", () => {
    const fired = fakeTimers();
    const month = 31 * 24 * 60 * 60 * 1000;
    const cancel = systemClock.after(month, () => fired.push("fired"));
    jest.advanceTimersByTime(month - 1000);
    cancel();
    jest.advanceTimersByTime(month);
    expect(fired).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("defers to the end of the turn of the event loop, in the order of asking", async () => {
    const order: string[] = [];
    systemClock.defer(() => order.push("first"));
    systemClock.defer(() => order.push("second"));
    await Promise.resolve().then(() => order.push("promise"));
    await new Promise<void>((resolve) => systemClock.defer(resolve));
    expect(order).toEqual(["promise", "first", "second"]);
  });
});

describe("sleeping", () => {
  const sleep = (clock: ManualClock, ms: number, signal?: AbortSignal): { isOver: () => boolean } => {
    let isOver = false;
    void sleepOn((wait, task) => clock.after(wait, task), ms, signal).then(() => (isOver = true));
    return { isOver: () => isOver };
  };

  test("ends after its time", async () => {
    const clock = new ManualClock();
    const { isOver } = sleep(clock, 1000);
    await clock.advance(999);
    expect(isOver()).toBe(false);
    await clock.advance(1);
    expect(isOver()).toBe(true);
  });

  test("ends at once when it is aborted, without an error and without a timer", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const { isOver } = sleep(clock, 1000, controller.signal);
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect([isOver(), clock.waiting]).toEqual([true, 0]);
  });

  test("does not begin where it is aborted already", async () => {
    const clock = new ManualClock();
    const { isOver } = sleep(clock, 1000, AbortSignal.abort());
    expect(clock.waiting).toBe(0);
    await clock.settle();
    expect(isOver()).toBe(true);
  });

  test("many sleeps on one signal leave nothing on it", async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    const listeners = (): number => getEventListeners(signal, "abort").length;
    for (let count = 0; count < 10; count++) sleep(clock, 10, signal);
    expect(listeners()).toBe(10);
    await clock.advance(10);
    expect(listeners()).toBe(0);
  });
});

test("times are shown in ISO 8601, in UTC, with milliseconds", () => {
  expect(isoTime(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(isoTime(Date.UTC(2026, 1, 3, 4, 5, 6, 7))).toBe("2026-02-03T04:05:06.007Z");
});
