import { AssertionError } from "node:assert";
import { inspect, isDeepStrictEqual } from "node:util";

/** A matcher: whether `actual` is as wanted. */
type Matcher = (actual: unknown, wanted: unknown) => boolean;

/** Those of `bun:test` that the suites use which run under Deno too; they judge as there. */
const matchers = {
  toBe: Object.is,
  toEqual: (actual, wanted) => isDeepStrictEqual(told(actual), told(wanted)),
  toMatchObject: (actual, wanted) => holds(told(actual), told(wanted)),
  toBeDefined: (actual) => actual !== undefined,
  toBeUndefined: (actual) => actual === undefined,
  toBeNull: (actual) => actual === null,
  toBeGreaterThan: (actual, wanted) => Number(actual) > Number(wanted),
  toBeLessThan: (actual, wanted) => Number(actual) < Number(wanted),
  toContain: (actual, wanted) =>
    typeof actual === "string" ? actual.includes(String(wanted)) : itemsOf(actual).includes(wanted),
  toHaveLength: (actual, wanted) =>
    (typeof actual === "string" ? actual.length : itemsOf(actual).length) === wanted,
  toMatch: (actual, wanted) =>
    wanted instanceof RegExp ? wanted.test(String(actual)) : String(actual).includes(String(wanted)),
} satisfies Record<string, Matcher>;

type Check = (wanted?: unknown) => void;
type Checks = Record<keyof typeof matchers, Check>;

/** Checks a value; fails with both where it is not as wanted. */
export function expect(actual: unknown): Checks & { not: Checks } {
  return { ...checksOf(actual, true), not: checksOf(actual, false) };
}

function checksOf(actual: unknown, isWanted: boolean): Checks {
  const check = (name: keyof typeof matchers): Check => {
    return (wanted) => {
      const matches: Matcher = matchers[name];
      if (matches(actual, wanted) === isWanted) return;
      const what = `${isWanted ? "" : "not "}${name} ${inspect(wanted, { depth: 9 })}`;
      throw new AssertionError({ message: `${inspect(actual, { depth: 9 })} was expected: ${what}` });
    };
  };
  return {
    toBe: check("toBe"),
    toEqual: check("toEqual"),
    toMatchObject: check("toMatchObject"),
    toBeDefined: check("toBeDefined"),
    toBeUndefined: check("toBeUndefined"),
    toBeNull: check("toBeNull"),
    toBeGreaterThan: check("toBeGreaterThan"),
    toBeLessThan: check("toBeLessThan"),
    toContain: check("toContain"),
    toHaveLength: check("toHaveLength"),
    toMatch: check("toMatch"),
  };
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [...(value instanceof Set ? value : [])];
}

/** A value without what equality passes over: properties that are undefined, and of which class it is. */
function told(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(told);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Set) return new Set([...value].map(told));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, told(item)]));
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([name, item]) => [name, told(item)]));
}

/** Whether all that `wanted` has is in `actual`; lists have to be as long. */
function holds(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((item, index) => holds(actual[index], item))
    );
  if (!isRecord(wanted)) return isDeepStrictEqual(actual, wanted);
  return (
    isRecord(actual) &&
    Object.entries(wanted).every(([name, item]) => name in actual && holds(actual[name], item))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
