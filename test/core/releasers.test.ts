import { expect, test } from "bun:test";
import { Releasers } from "../../src/core/releasers.ts";

test("releasers run one after the other, the last first", async () => {
  const releasers = new Releasers();
  const log: string[] = [];
  releasers.add(() => void log.push("first"));
  releasers.add(async () => {
    log.push("second begins");
    await Promise.resolve();
    log.push("second ends");
  });
  await releasers.release();
  expect(log).toEqual(["second begins", "second ends", "first"]);
});

test("each runs once, however often it is asked for", async () => {
  const releasers = new Releasers();
  const log: string[] = [];
  releasers.add(() => void log.push("ran"));
  await Promise.all([releasers.release(), releasers.release()]);
  await releasers.release();
  expect(log).toEqual(["ran"]);
});

test("one that fails keeps no other from running; the first fault is told", async () => {
  const releasers = new Releasers();
  const log: string[] = [];
  releasers.add(() => void log.push("first"));
  releasers.add(() => Promise.reject(new Error("second")));
  releasers.add(() => {
    throw new Error("third");
  });
  const thrown: unknown = await releasers.release().catch((reason: unknown) => reason);
  expect(thrown).toEqual(new Error("third"));
  expect(log).toEqual(["first"]);
});
