import { expect, test } from "bun:test";
import { type DeltaEvent, EventBus, type EventListener, type StoredEvent } from "../../src/core/events.ts";

const delta: DeltaEvent = { session: "a", message: "m", seq: 1, text: "x" };

function stored(id: number): StoredEvent {
  return { id, type: "session.unloaded", session: "a", data: "{}" };
}

function setup() {
  const faults: unknown[] = [];
  const log: string[] = [];
  const listener = (name: string): EventListener => ({
    stored: (events) => void log.push(`${name} ${events.map(({ id }) => id).join()}`),
    delta: ({ text }) => void log.push(`${name} ${text}`),
  });
  return { bus: new EventBus((thrown) => faults.push(thrown)), faults, log, listener };
}

test("all who listen get all that is published, in order", () => {
  const { bus, log, listener } = setup();
  bus.publish([stored(1)]);
  bus.subscribe(listener("a"));
  bus.subscribe(listener("b"));
  bus.publish([stored(2), stored(3)]);
  bus.publishDelta(delta);
  expect(log).toEqual(["a 2,3", "b 2,3", "a x", "b x"]);
});

test("who has left gets nothing more, and may leave twice", () => {
  const { bus, log, listener } = setup();
  const leave = bus.subscribe(listener("a"));
  bus.subscribe(listener("b"));
  leave();
  leave();
  bus.publish([stored(1)]);
  expect(log).toEqual(["b 1"]);
});

test("one that throws keeps nobody from being told", () => {
  const { bus, faults, log, listener } = setup();
  const thrown = new Error("a bug");
  const broken = (): never => {
    throw thrown;
  };
  bus.subscribe({ stored: broken, delta: broken });
  bus.subscribe(listener("b"));
  bus.publish([stored(1)]);
  bus.publishDelta(delta);
  expect(log).toEqual(["b 1", "b x"]);
  expect(faults).toEqual([thrown, thrown]);
});

test("one may leave while it is told", () => {
  const { bus, log, listener } = setup();
  const leave = bus.subscribe({ stored: () => leave(), delta: () => {} });
  bus.subscribe(listener("b"));
  bus.publish([stored(1)]);
  bus.publish([stored(2)]);
  expect(log).toEqual(["b 1", "b 2"]);
});
