import type { ParkReason } from "../core/events.ts";
import type { Random } from "../core/ids.ts";
import { backoffMs, shortestWaitMs } from "./backoff.ts";
import type { Failure } from "./provider.ts";

/** The failure's part of the decision whether turns at its endpoint have to wait; undefined: it says nothing of it. */
export function parkReason(failure: Failure): ParkReason | undefined {
  switch (failure.kind) {
    case "rate_limited":
    case "unreachable":
    case "auth":
    case "not_found":
      return failure.kind;
    case "overloaded":
    case "context_overflow":
    case "invalid_request":
    case "empty_reply":
    case "interrupted":
      return undefined;
  }
}

/** A wrong key or model mends itself only by hand: one turn is tried this often (contract section 4). */
const handMendedMs = 15 * 60_000;

/** How long to park (milliseconds): as the vendor asked, else by reason and by how often it was parked before. */
export function parkMs(
  failure: Failure,
  reason: ParkReason,
  step: number,
  retryMs: number,
  random: Random,
): number {
  if (reason === "auth" || reason === "not_found") return handMendedMs;
  // 1. No time at all, or a date that has passed here, names no wait: taken at its word it would be a circle of calls.
  const asked = failure.retryAfterMs ?? 0;
  return asked > 0 ? Math.max(asked, shortestWaitMs) : backoffMs(step, retryMs, random);
}
