import type { BlockedBy, RestartReason } from "../core/events.ts";
import { type Binding, restartReason } from "./binding.ts";
import type { SessionState } from "./state.ts";

/** A restart that is due and has not happened yet. */
export interface PendingRestart {
  reason: RestartReason;
  requestedAt: number;
  blockedBy: BlockedBy;
}

/** Why another generator is due: it has another binding than it should have, or a restart was asked for. */
export function dueReason(
  has: Binding,
  shouldHave: Binding,
  isRequested: boolean,
): RestartReason | undefined {
  if (shouldHave.fingerprint !== has.fingerprint) return restartReason(has, shouldHave);
  return isRequested ? "requested" : undefined;
}

/** What a restart that is due waits for. */
export function blockedBy({ kind }: SessionState): BlockedBy {
  if (kind === "busy") return "turn";
  return kind === "idle" ? "step" : "settling";
}
