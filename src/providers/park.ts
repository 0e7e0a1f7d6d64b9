import type { WaitReason } from "../core/events.ts";
import type { Random } from "../core/ids.ts";
import { backoffMs } from "./backoff.ts";
import type { Failure, ProviderConfig } from "./provider.ts";

/** The failures that say something of the endpoint and key, not of the message: turns there have to wait. */
export type ParkReason = Extract<WaitReason, "rate_limited" | "unreachable" | "auth" | "not_found">;

/**
 * Nobody is let through to an endpoint and key (for `not_found`: and model) until a time. Entered when a turn
 * there fails with a park reason; at `until` one turn goes first, the probe; left when a turn that was let through
 * after `since` ends in anything else.
 */
export interface Park {
  /** The name under which the failing turn knew the provider. */
  provider: string;
  endpoint: string;
  /** The one model it concerns; null: all of this endpoint and key. */
  model: string | null;
  reason: ParkReason;
  since: number;
  until: number;
  /** How often in a row it was parked. */
  step: number;
  isProbed: boolean;
}

/** Whether a failure parks. */
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
  return failure.retryAfterMs ?? backoffMs(step, retryMs, random);
}

/** What parks of an endpoint and key, and of one model there, are known by. Holds the key: never to be shown. */
export function parkScopes(config: ProviderConfig): { wide: string; narrow: string } {
  const wide = JSON.stringify([config.kind, config.endpoint, config.userInfo, config.key, config.argv]);
  return { wide, narrow: JSON.stringify([wide, config.model]) };
}
