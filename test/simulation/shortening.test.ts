import { expect, test } from "bun:test";
import { shortened } from "./shortening.ts";
import type { Item } from "./workload.ts";

const items: Item[] = Array.from({ length: 50 }, (_, seed) => ({ kind: "post", seed }));

function failsWith(...seeds: number[]) {
  return async (kept: readonly Item[]) => seeds.every((seed) => kept.some((item) => item.seed === seed));
}

test("of many items those are left that it takes", async () => {
  const left = await shortened(items, failsWith(3, 17, 49), 1000);
  expect(left.map(({ seed }) => seed)).toEqual([3, 17, 49]);
});

test("what fails with nothing is left without any", async () => {
  expect(await shortened(items, failsWith(), 1000)).toEqual([]);
});

test("it gives up in time, with something that still fails", async () => {
  const fails = failsWith(3, 17, 49);
  expect(await fails(await shortened(items, fails, 5))).toBe(true);
});
