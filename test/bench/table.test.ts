import { expect, test } from "bun:test";
import type { Benchmark } from "./benchmark.ts";
import { printTable, rowOf } from "./table.ts";

const benchmark: Benchmark = { name: "example", about: "", baseline: "", run: async () => [] };

test("a row has both medians, both spreads and the ratio of the medians", () => {
  const row = rowOf(benchmark, {
    what: "wait",
    unit: "ms",
    segue: [30, 10, 20],
    baseline: [4, 5, 6],
    goal: "<= 2 x",
  });
  expect(row.ratio).toBe(4);
  expect(printTable([row]).split("\n")).toEqual([
    "| benchmark | measure | unit | Segue |       spread | baseline |       spread | ratio | beyond | to reach |",
    "| --------- | ------- | ---- | ----: | -----------: | -------: | -----------: | ----: | -----: | -------- |",
    "| example   | wait    | ms   |  20.0 | 10.0 to 30.0 |     5.00 | 4.00 to 6.00 |  4.00 |   15.0 | <= 2 x   |",
  ]);
});

test("what has no baseline has no ratio, and one round no spread", () => {
  const row = rowOf(benchmark, { what: "size", unit: "MiB", segue: [111] });
  expect(row.ratio).toBeNull();
  expect(printTable([row]).split("\n").at(-1)).toMatch(
    /^\| example   \| size    \| MiB  \|   111 \| +\| +\| +\| +\| +\| +\|$/,
  );
});
