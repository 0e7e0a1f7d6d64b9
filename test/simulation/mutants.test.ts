import { expect, test } from "bun:test";
import { applied, mutants } from "./mutant.ts";

const hasGit = Bun.which("git") !== null;

test("there are at least thirty mutants, and two or more for most promises", () => {
  const all = mutants();
  const byPromise = Map.groupBy(all, ({ promise }) => promise);
  expect(all.length).toBeGreaterThanOrEqual(30);
  for (const { name, promise, fault } of all)
    expect({ name, hasPromise: promise !== "", hasFault: fault !== "" }).toEqual({
      name,
      hasPromise: true,
      hasFault: true,
    });
  const single = [...byPromise].filter(([, made]) => made.length < 2).map(([promise]) => promise);
  expect(single).toEqual([]);
});

test.if(hasGit).each(mutants())("the mutant $name still applies", ({ patch }) => {
  expect(applied(patch, undefined, ["--check"])).toBe("");
});
