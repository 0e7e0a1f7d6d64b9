import { expect, test } from "bun:test";
import { Pending } from "../../src/daemon/pending.ts";

test("it is settled when nothing is left, what came meanwhile included", async () => {
  const pending = new Pending(() => {});
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const log: string[] = [];
  pending.keep(first.promise.then(() => pending.keep(second.promise)));
  const settled = pending.settled().then(() => log.push("settled"));
  first.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(log).toEqual([]);
  second.resolve();
  await settled;
  expect(log).toEqual(["settled"]);
});

test("with nothing to wait for it is settled", async () => {
  await new Pending(() => {}).settled();
});

test("one that rejects is told once, and keeps no other from settling", async () => {
  const faults: unknown[] = [];
  const pending = new Pending((thrown) => faults.push(thrown));
  pending.keep(Promise.reject(new Error("a bug")));
  pending.keep(Promise.resolve());
  await pending.settled();
  expect(faults).toEqual([new Error("a bug")]);
});
