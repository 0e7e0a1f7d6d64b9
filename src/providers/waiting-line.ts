import type { WaitReason } from "../core/events.ts";
import type { Candidate } from "./candidate.ts";
import type { Park } from "./parks.ts";

/** Somebody who waits at the gate. */
export interface Waiter {
  candidates: () => readonly [Candidate, ...Candidate[]];
  grant: (candidate: Candidate, probed: Park | undefined) => void;
  onWait: (reason: WaitReason, until: number | null) => void;
  /** What `onWait` was told last, so that it is told once. */
  told: string;
}

/** Those who want the same first, by ticket: in the order of asking. */
export type Lane = Map<number, Waiter>;

/** Tells a waiter why it waits, if it is not what it was told last. */
export function tellWait(waiter: Waiter, reason: WaitReason, until: number | null): void {
  const told = `${reason} ${until}`;
  if (waiter.told === told) return;
  waiter.told = told;
  waiter.onWait(reason, until);
}

/** The head of a lane that is not empty. */
export function firstEntryOf(lane: Lane): [number, Waiter] {
  const first = lane.entries().next().value;
  if (!first) throw new Error("an empty lane was taken for the lowest");
  return first;
}

/** The lane whose head asked first; lanes that ran empty do not count. */
export function lowestOf(lanes: Set<Lane>): Lane | undefined {
  let lowest: Lane | undefined;
  let lowestTicket = Infinity;
  for (const lane of lanes) {
    const ticket = lane.keys().next().value;
    if (ticket !== undefined && ticket < lowestTicket) {
      lowest = lane;
      lowestTicket = ticket;
    }
  }
  return lowest;
}
