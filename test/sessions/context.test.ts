import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { contextTurns, freshContextFrom, isDueToRollOver, noteTurns } from "../../src/sessions/context.ts";
import type { Exchange } from "../../src/store/turns.ts";

/** An exchange that is estimated at so many tokens. */
function exchange(seq: number, tokens: number): Exchange {
  return { seq, note: null, content: "c".repeat(tokens * 2), reply: "r".repeat(tokens * 2) };
}

test("a context is what was said, in turns, oldest first", () => {
  const exchanges: Exchange[] = [
    { seq: 1, note: null, content: "one", reply: "uno" },
    { seq: 4, note: "[system] restarted", content: "two", reply: "dos" },
  ];
  expect(contextTurns(exchanges)).toEqual([
    { role: "user", content: "one" },
    { role: "assistant", content: "uno" },
    { role: "user", content: "[system] restarted" },
    { role: "user", content: "two" },
    { role: "assistant", content: "dos" },
  ]);
  expect(contextTurns([])).toEqual([]);
  expect(noteTurns(null)).toEqual([]);
});

test("a context rolls over once more than the limit was read, and never where there is none", () => {
  expect(isDueToRollOver(100, 100)).toBe(false);
  expect(isDueToRollOver(101, 100)).toBe(true);
  expect(isDueToRollOver(1e9, 0)).toBe(false);
});

test("the latest exchanges go along", () => {
  const exchanges = [exchange(1, 1), exchange(3, 1), exchange(7, 1)];
  expect(freshContextFrom(exchanges, 8, 2, 1000)).toBe(3);
  expect(freshContextFrom(exchanges, 8, 1, 1000)).toBe(7);
  expect(freshContextFrom(exchanges, 8, 99, 1000)).toBe(1);
});

test("with none to keep the fresh context is empty", () => {
  expect(freshContextFrom([exchange(1, 1)], 2, 0, 1000)).toBe(2);
  expect(freshContextFrom([], 2, 5, 1000)).toBe(2);
});

test("what goes along stays under half the limit: the newest first, and none after one that is too long", () => {
  expect(freshContextFrom([exchange(1, 10), exchange(2, 31), exchange(3, 19)], 4, 3, 100)).toBe(3);
  expect(freshContextFrom([exchange(1, 1), exchange(2, 30), exchange(3, 20)], 4, 3, 100)).toBe(3);
  expect(freshContextFrom([exchange(1, 1), exchange(2, 50)], 4, 3, 100)).toBe(4);
  expect(freshContextFrom([exchange(1, 1), exchange(2, 49)], 4, 3, 100)).toBe(2);
});

test("tokens are estimated by bytes, not by characters", () => {
  const long: Exchange = { seq: 1, note: null, content: "語".repeat(66), reply: "" };
  expect(freshContextFrom([long], 2, 1, 100)).toBe(2);
  expect(freshContextFrom([{ ...long, content: "x".repeat(66) }], 2, 1, 100)).toBe(1);
});

test("whatever was said, a fresh context is the newest exchanges, at most as many as wanted, under half the limit", () => {
  const sizes = fc.array(fc.nat(80), { maxLength: 12 });
  fc.assert(
    fc.property(sizes, fc.nat(12), fc.integer({ min: 1, max: 200 }), (tokens, keep, limit) => {
      const exchanges = tokens.map((count, index) => exchange(index + 1, count));
      const from = freshContextFrom(exchanges, exchanges.length + 1, keep, limit);
      const kept = tokens.slice(from - 1);
      expect(kept.length).toBeLessThanOrEqual(keep);
      const sum = kept.reduce((total, count) => total + count, 0);
      expect(sum === 0 || sum < limit / 2).toBe(true);
      const next = tokens.at(-kept.length - 1);
      if (kept.length < keep && kept.length < tokens.length)
        expect(sum + (next ?? 0)).toBeGreaterThanOrEqual(limit / 2);
    }),
    { seed: 3 },
  );
});
