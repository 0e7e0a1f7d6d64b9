import { expect, test } from "bun:test";
import type { FailureKind } from "../../src/core/events.ts";
import { type Attempted, type NextStep, afterFailure } from "../../src/sessions/retry.ts";

const settings = { retryMs: 2000, maxAttempts: 5 };
const middle = (): number => 0.5;
const firstTime: Attempted = { attempts: 1, hasRolledOver: false, isBatch: false };

function after(kind: FailureKind, more: Partial<Attempted> = {}, random = middle): NextStep {
  return afterFailure({ kind, message: "" }, { ...firstTime, ...more }, settings, random);
}

const parking = ["rate_limited", "unreachable", "auth", "not_found"] as const;
const repeated = ["overloaded", "empty_reply", "interrupted"] as const;

test.each(parking)("after %s a message waits for its provider, in a batch and after any number", (kind) => {
  expect(after(kind)).toEqual({ kind: "park" });
  expect(after(kind, { attempts: 100 })).toEqual({ kind: "park" });
  expect(after(kind, { isBatch: true })).toEqual({ kind: "park" });
});

test.each(repeated)("after %s a message is tried again, each wait four times as long", (kind) => {
  const waits = [1, 2, 3, 4].map((attempts) => after(kind, { attempts }));
  expect(waits).toEqual([2000, 8000, 32_000, 128_000].map((waitMs) => ({ kind: "retry", waitMs })));
});

test.each(repeated)("%s ends a message whose attempts are used up", (kind) => {
  expect(after(kind, { attempts: 4 }).kind).toBe("retry");
  expect(after(kind, { attempts: 5 })).toEqual({ kind: "fail" });
  expect(after(kind, { attempts: 6 })).toEqual({ kind: "fail" });
});

test("fewer attempts set meanwhile count at once", () => {
  const message = { ...firstTime, attempts: 3 };
  const next = afterFailure(
    { kind: "overloaded", message: "" },
    message,
    { retryMs: 1, maxAttempts: 2 },
    middle,
  );
  expect(next).toEqual({ kind: "fail" });
});

test("a message too long gets one fresh context, and then fails", () => {
  expect(after("context_overflow")).toEqual({ kind: "roll_over" });
  expect(after("context_overflow", { attempts: 9 })).toEqual({ kind: "roll_over" });
  expect(after("context_overflow", { hasRolledOver: true })).toEqual({ kind: "fail" });
});

test("an invalid request fails at once", () => {
  expect(after("invalid_request")).toEqual({ kind: "fail" });
});

test.each(["context_overflow", "invalid_request", "empty_reply"] as const)(
  "a batch that ends in %s is taken apart, however often it was tried",
  (kind) => {
    expect(after(kind, { isBatch: true })).toEqual({ kind: "split" });
    expect(after(kind, { isBatch: true, attempts: 5, hasRolledOver: true })).toEqual({ kind: "split" });
  },
);

test("a batch that meets an overloaded provider stays together", () => {
  expect(after("overloaded", { isBatch: true })).toEqual({ kind: "retry", waitMs: 2000 });
  expect(after("overloaded", { isBatch: true, attempts: 5 })).toEqual({ kind: "fail" });
});
