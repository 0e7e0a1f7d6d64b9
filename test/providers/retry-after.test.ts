import { expect, test } from "bun:test";
import { retryAfterMs } from "../../src/providers/retry-after.ts";

const now = Date.parse("2026-03-01T12:00:00Z");

const table: readonly [header: string | null, ms: number | undefined][] = [
  ["0", 0],
  ["7", 7000],
  [" 120 ", 120_000],
  ["0.5", 500],
  ["Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
  ["Sunday, 01-Mar-26 12:00:30 GMT", 30_000],
  ["Sun Mar  1 12:00:30 2026", 30_000],
  ["Sun, 01 Mar 2026 11:59:30 GMT", 0],
  [null, undefined],
  ["", undefined],
  ["-1", undefined],
  ["soon", undefined],
  ["in 5 minutes", undefined],
  ["99999999999", undefined],
];

test.each(table)("Retry-After %p asks for %p ms", (header, ms) => {
  expect(retryAfterMs(header, now)).toBe(ms);
});
