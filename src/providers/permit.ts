import type { Usage } from "../core/events.ts";
import type { Candidate } from "./candidate.ts";
import type { Failure } from "./provider.ts";

/** How the call that a permit was for ended. */
export type Verdict =
  | { kind: "answered"; usage: Usage }
  | { kind: "failed"; failure: Failure }
  /** Aborted, or never made: it says nothing of the provider. */
  | { kind: "none" };

/** What a verdict means for those who want the same: nothing, a park until a time, or a hold on the binding. */
export type Consequence = { kind: "none" } | { kind: "parked"; until: number } | { kind: "held" };

/** The right to make one call. */
export interface Permit<C extends Candidate> {
  readonly candidate: C;
  /** Whether it may still be made: limits, parks and holds may be others than when this was given. */
  isGood(): boolean;
  /** Gives the slot back. Once only: a second call does nothing. */
  release(verdict: Verdict): Consequence;
}
