import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { systemClock } from "../../src/core/clock.ts";
import { createProvider } from "../../src/providers/create.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { configOf, endOf, take } from "./calling.ts";

const withheldEnv = (): readonly string[] => [];

test("echo streams the content back word by word, white space kept", async () => {
  const echo = await createProvider(configOf("echo"), { clock: systemClock, withheldEnv });
  const taken = await take(echo, { content: "  one two\n\nthree\t" });
  expect(taken.parts).toEqual([
    { type: "text", text: "  one" },
    { type: "text", text: " two" },
    { type: "text", text: "\n\nthree" },
    { type: "text", text: "\t" },
    { type: "end", finish: "stop", usage: null },
  ]);
  expect(taken.activity).toBe(5);
});

test("whatever the content, the parts of echo joined are the content", async () => {
  const echo = await createProvider(configOf("echo"), { clock: systemClock, withheldEnv });
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (content) => {
      const taken = await take(echo, { content });
      expect(taken.text).toBe(content);
      endOf(taken);
    }),
    { numRuns: 50 },
  );
});

test("a long content comes back whole, and lets the event loop turn meanwhile", async () => {
  const echo = await createProvider(configOf("echo"), { clock: systemClock, withheldEnv });
  let others = 0;
  const other = setInterval(() => (others += 1), 0);
  const content = "a b ".repeat(20_000);
  const taken = await take(echo, { content });
  clearInterval(other);
  expect(taken.text).toBe(content);
  expect(others).toBeGreaterThan(0);
});

test("echo says nothing before its delay is over", async () => {
  const clock = new ManualClock();
  const echo = await createProvider(configOf("echo", { delayMs: 5000 }), { clock, withheldEnv });
  const parts: string[] = [];
  const taken = take(echo, { content: "late" }, { onPart: (part) => parts.push(part.type) });
  await clock.advance(4999);
  expect(parts).toEqual([]);
  await clock.advance(1);
  expect((await taken).text).toBe("late");
});

test("an abort ends the delay of echo at once, without a word", async () => {
  const clock = new ManualClock();
  const echo = await createProvider(configOf("echo", { delayMs: 5000 }), { clock, withheldEnv });
  const abort = new AbortController();
  const taken = take(echo, { signal: abort.signal });
  abort.abort();
  expect((await taken).parts).toEqual([]);
  expect(clock.waiting).toBe(0);
});

test("an abort between two words ends echo", async () => {
  const echo = await createProvider(configOf("echo"), { clock: systemClock, withheldEnv });
  const abort = new AbortController();
  const taken = await take(
    echo,
    { content: "one two three", signal: abort.signal },
    { onPart: () => abort.abort() },
  );
  expect(taken.parts).toEqual([{ type: "text", text: "one" }]);
});
