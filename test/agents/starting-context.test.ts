import { expect, test } from "bun:test";
import { sessionStartOutput, startingContext } from "../../src/agents/starting-context.ts";

const memory = (at: string, summary: string) => ({ at, summary });

test("summaries are told in the order in which they were written, each with its time", () => {
  const told = startingContext([memory("2026-03-02", "second\n"), memory("2026-03-01", "first")]);
  expect(told).toEndWith("\n\n# Summary of 2026-03-01\n\nfirst\n\n# Summary of 2026-03-02\n\nsecond");
});

test("without summaries there is nothing to tell", () => {
  expect(startingContext([])).toBeUndefined();
});

test("the newest are told as far as the agent's 10,000 characters reach, whole", () => {
  const told = startingContext(["new", "middle", "old"].map((at) => memory(at, at + "x".repeat(4000)))) ?? "";
  expect(told.length).toBeLessThan(10_000);
  expect(told.match(/^# Summary of .*$/gm)).toEqual(["# Summary of middle", "# Summary of new"]);
});

test("a summary that is too long by itself is cut at its end, between characters", () => {
  const told = startingContext([memory("now", `begin ${"😀".repeat(9000)}`), memory("then", "x")]) ?? "";
  expect(told.length).toBeLessThan(10_000);
  expect(told.isWellFormed()).toBe(true);
  expect(told).toContain("begin 😀");
  expect(told).toEndWith("…");
});

test("the agent gets one line of JSON", () => {
  expect(sessionStartOutput("a\nb")).toBe(
    '{"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":"a\\nb"}}',
  );
});
