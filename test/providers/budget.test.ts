import { expect, test } from "bun:test";
import { Budget } from "../../src/providers/budget.ts";

const noon = Date.parse("2026-03-01T12:00:00.000Z");
const midnight = Date.parse("2026-03-02T00:00:00.000Z");

function usage(inputTokens: number, outputTokens: number) {
  return { inputTokens, outputTokens };
}

test("input and output count together, with what the day had used before", () => {
  const budget = new Budget(70, noon);
  budget.add(usage(20, 9), noon);
  expect(budget.exhausted(100, noon)).toBeUndefined();
  budget.add(usage(0, 1), noon);
  expect(budget.exhausted(100, noon)).toEqual({ used: 100, until: midnight, isNews: true });
});

test("that the day's tokens are used up is news once a day", () => {
  const budget = new Budget(100, noon);
  expect(budget.exhausted(100, noon)?.isNews).toBe(true);
  expect(budget.exhausted(100, noon + 1)?.isNews).toBe(false);
  budget.add(usage(200, 0), midnight + 1);
  expect(budget.exhausted(100, midnight + 2)).toEqual({
    used: 200,
    until: midnight + 86_400_000,
    isNews: true,
  });
});

test("a limit that is raised and reached again is news again", () => {
  const budget = new Budget(100, noon);
  expect(budget.exhausted(100, noon)?.isNews).toBe(true);
  expect(budget.exhausted(150, noon)).toBeUndefined();
  budget.add(usage(50, 0), noon);
  expect(budget.exhausted(150, noon)?.isNews).toBe(true);
  expect(budget.exhausted(150, noon)?.isNews).toBe(false);
});

test("no limit is never used up", () => {
  const budget = new Budget(1e9, noon);
  expect(budget.exhausted(0, noon)).toBeUndefined();
});

test("the day begins anew at midnight UTC, to the millisecond", () => {
  const budget = new Budget(100, noon);
  expect(budget.exhausted(100, midnight - 1)?.until).toBe(midnight);
  expect(budget.exhausted(100, midnight)).toBeUndefined();
  expect(budget.nextDayAt(midnight)).toBe(midnight + 86_400_000);
  expect(budget.nextDayAt(midnight - 1)).toBe(midnight);
});

test("a turn counts on the day on which it ended", () => {
  const budget = new Budget(90, noon);
  budget.add(usage(50, 0), midnight + 1);
  expect(budget.exhausted(51, midnight + 2)).toBeUndefined();
  expect(budget.exhausted(50, midnight + 2)?.used).toBe(50);
});
