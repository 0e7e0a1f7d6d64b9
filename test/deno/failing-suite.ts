import { describe, expect, test } from "bun:test";

// Every test of this file has to fail: that what stands in for `bun:test` under Deno judges at all.
describe("what is not so", () => {
  const checks: [string, () => void][] = [
    ["toBe", () => expect({}).toBe({})],
    ["not", () => expect(1).not.toBe(1)],
    ["toEqual", () => expect({ a: [1, { b: 2 }] }).toEqual({ a: [1, { b: 3 }] })],
    ["toEqual, of more", () => expect<object>({ a: 1, b: 2 }).toEqual({ a: 1 })],
    ["toMatchObject", () => expect({ a: { b: 1 } }).toMatchObject({ a: { b: 2 } })],
    ["toMatchObject, of a longer list", () => expect([{ a: 1 }, { a: 2 }]).toMatchObject([{ a: 1 }])],
    ["toBeDefined", () => expect(undefined).toBeDefined()],
    ["toBeUndefined", () => expect(null).toBeUndefined()],
    ["toBeNull", () => expect(undefined).toBeNull()],
    ["toBeGreaterThan", () => expect(1).toBeGreaterThan(1)],
    ["toContain", () => expect(["a"]).toContain("b")],
    ["toHaveLength", () => expect([1]).toHaveLength(2)],
    ["toMatch", () => expect("a").toMatch(/b/)],
  ];
  test.each(checks)("%s", (_name, check) => check());
});
