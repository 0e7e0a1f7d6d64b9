import { expect, test } from "bun:test";
import { percentile, slopeOf, summarize } from "./samples.ts";

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

test("a percentile is the sample of its nearest rank, whatever the order", () => {
  expect([0, 0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 99, 100]);
});

test("the only sample is every percentile", () => {
  expect([0.01, 0.5, 0.99].map((share) => percentile([7], share))).toEqual([7, 7, 7]);
});

test("of an odd number of rounds the median is the middle one", () => {
  expect(summarize([9, 1, 2])).toEqual({ median: 2, min: 1, max: 9, rounds: 3 });
});

test("of an even number of rounds the median lies between the middle two", () => {
  expect(summarize([9, 1, 2, 4])).toEqual({ median: 3, min: 1, max: 9, rounds: 4 });
});

test("the slope is that of the line nearest to the points", () => {
  expect(
    slopeOf([
      [0, 5],
      [1, 7],
      [2, 9],
    ]),
  ).toBeCloseTo(2);
  expect(
    slopeOf([
      [0, 4],
      [1, 6],
      [2, 4],
      [3, 6],
    ]),
  ).toBeCloseTo(0.4);
  expect(
    slopeOf([
      [1, 3],
      [2, 3],
    ]),
  ).toBe(0);
  expect(slopeOf([[1, 3]])).toBeNaN();
});
