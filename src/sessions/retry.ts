import type { Random } from "../core/ids.ts";
import { backoffMs } from "../providers/backoff.ts";
import type { Failure } from "../providers/provider.ts";

/** What happens to a message whose turn failed (contract section 4). */
export type NextStep =
  /** It ends. */
  | { kind: "fail" }
  /** It is taken again after `waitMs`; the attempt counts. */
  | { kind: "retry"; waitMs: number }
  /** It waits for its provider with all others; the attempt does not count. */
  | { kind: "park" }
  /** It is taken again at once in a fresh context; the attempt does not count. */
  | { kind: "roll_over" }
  /** It was a batch: its messages are taken one by one; the attempt does not count. */
  | { kind: "split" };

/** The message's own part of the decision: `attempts` counts the one that just failed. */
export interface Attempted {
  attempts: number;
  /** It has already had a fresh context for being too long. */
  hasRolledOver: boolean;
  /** Several messages went into the turn. */
  isBatch: boolean;
}

/** Decides after a failure; `retryMs` and `maxAttempts` are the live settings of now. */
export function afterFailure(
  failure: Failure,
  message: Attempted,
  settings: { retryMs: number; maxAttempts: number },
  random: Random,
): NextStep {
  if (message.isBatch && spoilsBatch(failure)) return { kind: "split" };
  switch (failure.kind) {
    case "rate_limited":
    case "unreachable":
    case "auth":
    case "not_found":
      return { kind: "park" };
    case "overloaded":
    case "empty_reply":
    case "interrupted":
      if (message.attempts >= settings.maxAttempts) return { kind: "fail" };
      return { kind: "retry", waitMs: backoffMs(message.attempts - 1, settings.retryMs, random) };
    case "context_overflow":
      return message.hasRolledOver ? { kind: "fail" } : { kind: "roll_over" };
    case "invalid_request":
      return { kind: "fail" };
  }
}

/** One message of a batch may have caused it: which one is found by taking them one by one (contract section 4). */
function spoilsBatch({ kind }: Failure): boolean {
  return kind === "context_overflow" || kind === "invalid_request" || kind === "empty_reply";
}
