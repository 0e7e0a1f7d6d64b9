import { expect, test } from "bun:test";
import { assert, double, nat, property } from "fast-check";
import { backoffMs } from "../../src/providers/backoff.ts";
import { parkMs, parkReason } from "../../src/providers/park.ts";

const middle = (): number => 0.5;

test("each wait is four times the one before, and none is longer than five minutes", () => {
  expect([0, 1, 2, 3, 4, 100].map((step) => backoffMs(step, 2000, middle))).toEqual([
    2000, 8000, 32_000, 128_000, 300_000, 300_000,
  ]);
});

test("chance spreads a wait by a fifth to either side, and no further", () => {
  expect(backoffMs(0, 1000, () => 0)).toBe(800);
  expect(backoffMs(0, 1000, () => 1)).toBe(1200);
  assert(
    property(
      nat(50),
      nat(3_600_000),
      double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (step, firstMs, chance) => {
        const ms = backoffMs(step, firstMs, () => chance);
        const plain = Math.min(firstMs * 4 ** step, 300_000);
        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(Math.max(20, Math.floor(plain * 0.8)));
        expect(ms).toBeLessThanOrEqual(Math.max(20, Math.ceil(plain * 1.2)));
      },
    ),
  );
});

test("a first wait of nothing still leaves a provider that refuses at once some peace", () => {
  expect([0, 1, 9].map((step) => backoffMs(step, 0, () => 0))).toEqual([20, 20, 20]);
});

test("refusals of the endpoint park, those of one message do not", () => {
  const reasons = (
    [
      "rate_limited",
      "unreachable",
      "auth",
      "not_found",
      "overloaded",
      "context_overflow",
      "invalid_request",
      "empty_reply",
      "interrupted",
    ] as const
  ).map((kind) => parkReason({ kind, message: "" }));
  expect(reasons).toEqual(["rate_limited", "unreachable", "auth", "not_found", ...Array(5).fill(undefined)]);
});

test("a park lasts as long as the vendor asks, whatever came before", () => {
  const failure = { kind: "rate_limited", message: "", retryAfterMs: 7000 } as const;
  expect(parkMs(failure, "rate_limited", 0, 2000, middle)).toBe(7000);
  expect(parkMs(failure, "rate_limited", 9, 2000, middle)).toBe(7000);
});

test("a park whose length nobody named grows", () => {
  const failure = { kind: "rate_limited", message: "" } as const;
  expect([0, 1, 2].map((step) => parkMs(failure, "rate_limited", step, 2000, middle))).toEqual([
    2000, 8000, 32_000,
  ]);
});

test("a wait of a moment is still a wait", () => {
  const failure = { kind: "rate_limited", message: "", retryAfterMs: 1 } as const;
  expect(parkMs(failure, "rate_limited", 0, 2000, middle)).toBe(20);
});

test("a vendor that asks to wait for no time at all is not called in a circle", () => {
  const failure = { kind: "rate_limited", message: "", retryAfterMs: 0 } as const;
  expect([0, 1, 2].map((step) => parkMs(failure, "rate_limited", step, 2000, middle))).toEqual([
    2000, 8000, 32_000,
  ]);
});

test.each(["auth", "not_found"] as const)("what is parked for %s is tried every fifteen minutes", (kind) => {
  expect(parkMs({ kind, message: "" }, kind, 0, 2000, middle)).toBe(900_000);
  expect(parkMs({ kind, message: "", retryAfterMs: 1 }, kind, 8, 2000, middle)).toBe(900_000);
});
