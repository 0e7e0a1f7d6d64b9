import type { MessageError } from "../core/events.ts";
import type { Consequence } from "../providers/permit.ts";
import type { PutBackRequest, TurnResult } from "../store/turns.ts";
import type { Claimed } from "./claimed.ts";
import type { Attempted, NextStep } from "./retry.ts";

/** Why a generator was aborted: what its messages are put back for. */
export type AbortReason = "drain" | "restart" | "daemon_restart";

/** How the messages of a turn are put back. */
export type PutBack = Omit<PutBackRequest, "messages" | "lease" | "at">;

/** What is stored of a turn: its messages end with it, or are pending again. */
export type TurnEnd =
  | { kind: "finish"; result: TurnResult; rollover: { contextFrom: number } | null }
  | { kind: "put_back"; how: PutBack };

/** What counts of the messages of a turn when it fails. */
export function attemptedBy({ messages }: Claimed): Attempted {
  return {
    // Not as arguments of one call: a batch may be longer than those can be.
    attempts: messages.reduce((most, message) => Math.max(most, message.attempts), 0),
    hasRolledOver: messages[0].overflowed,
    isBatch: messages.length > 1,
  };
}

/** The end of a turn that failed, by what is to happen next and what it meant for its provider. */
export function endOfFailed(
  next: NextStep,
  turn: { claimed: Claimed; error: MessageError; consequence: Consequence; now: number },
): TurnEnd {
  const { claimed, error, consequence, now } = turn;
  switch (next.kind) {
    case "fail":
      return { kind: "finish", result: { kind: "failed", error }, rollover: null };
    case "retry": {
      const retryAt = now + next.waitMs;
      return putBack({ reason: "retry", isCounted: true, error, retryAt, announcedAt: retryAt });
    }
    case "park":
      return putBack({
        reason: consequence.kind === "held" ? "held" : "retry",
        error,
        announcedAt: consequence.kind === "parked" ? consequence.until : null,
      });
    case "roll_over":
      return putBack({ reason: "retry", error, rollover: { contextFrom: claimed.messages[0].seq } });
    case "split":
      return putBack({ reason: "retry", error, isAlone: true });
  }
  next satisfies never;
}

/** The end of a turn that was aborted: with its generator for `reason`, or alone, for one of its messages. */
export function endOfAborted(reason: AbortReason | undefined): TurnEnd {
  // 1. Not the generator but one of its messages was stopped: those that were with it are taken alone.
  return putBack({ reason: reason ?? "retry", isAlone: reason === undefined });
}

function putBack(how: Pick<PutBack, "reason"> & Partial<PutBack>): TurnEnd {
  return {
    kind: "put_back",
    how: {
      isCounted: false,
      error: null,
      retryAt: null,
      announcedAt: null,
      rollover: null,
      isAlone: false,
      ...how,
    },
  };
}
