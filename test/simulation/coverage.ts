import { waitReasons } from "../../src/core/events.ts";
import type { SessionEvent, SessionState } from "../../src/sessions/state.ts";
import type { Seen } from "./history.ts";

const states = [
  "idle",
  "busy",
  "restarting",
  "closed",
  ...waitReasons.map((reason) => `waiting for ${reason}`),
];
const events: readonly SessionEvent["type"][] = [
  "claimed",
  "waits",
  "emptied",
  "due",
  "restarts",
  "replaced",
  "closed",
];

/** What a search has come across: which steps of sessions, which faults, and which of these in which states. */
export class Coverage {
  readonly #pairs = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #faultsIn = new Map<string, Set<string>>();
  /** Of the sessions of the process that runs. */
  readonly #present = new Map<string, string>();

  /** A session takes a step. */
  step(session: string, from: SessionState, event: SessionEvent, to: SessionState): void {
    count(this.#pairs, pairOf(nameOf(from), event.type));
    if (to.kind === "closed") this.#present.delete(session);
    else this.#present.set(session, nameOf(to));
  }

  /** Something is seen: a fault is noted with the states that sessions are in. */
  see(seen: Seen): void {
    const fault = faultOf(seen);
    if (fault !== undefined) this.#note(fault);
    if (seen.kind === "boot" && seen.phase === "asked") this.#present.clear();
  }

  /** Faults by kind, and what was reached and what never was, in lines. */
  report(): string[] {
    const all = states.flatMap((state) => eventsIn(state).map((event) => pairOf(state, event)));
    const reached = all.filter((pair) => this.#pairs.has(pair));
    const never = states.flatMap((state) => {
      const missing = eventsIn(state).filter((event) => !this.#pairs.has(pairOf(state, event)));
      return missing.length > 0 ? [`  ${state}: ${missing.join(", ")}`] : [];
    });
    return [
      `steps of sessions: ${reached.length} of ${all.length} pairs of state and event reached`,
      ...(never.length > 0 ? ["never reached:", ...never] : []),
      "faults, and the states of sessions that they came in:",
      ...[...this.#faults]
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([fault, times]) => `  ${fault}: ${times}${this.#missingOf(fault)}`),
    ];
  }

  #missingOf(fault: string): string {
    const met = this.#faultsIn.get(fault) ?? new Set();
    const missing = states.filter((state) => state !== "closed" && !met.has(state));
    return missing.length === 0 ? ", in all" : `, never while ${missing.join(", ")}`;
  }

  #note(fault: string): void {
    count(this.#faults, fault);
    const met = this.#faultsIn.get(fault) ?? new Set<string>();
    this.#faultsIn.set(fault, met);
    for (const state of this.#present.values()) met.add(state);
  }
}

/** What can come in a state: a generator is replaced only after it was told to end. */
function eventsIn(state: string): readonly SessionEvent["type"][] {
  return events.filter((event) => event !== "replaced" || state === "restarting");
}

function nameOf(state: SessionState): string {
  return state.kind === "waiting" ? `waiting for ${state.for}` : state.kind;
}

function pairOf(state: string, event: string): string {
  return `${state}, ${event}`;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function faultOf(seen: Seen): string | undefined {
  switch (seen.kind) {
    case "crash":
      return `crash, ${seen.variant}`;
    case "fault":
      return seen.phase === "ends" ? undefined : seen.fault;
    case "hint":
      return seen.fate === "delivered" ? undefined : `hint ${seen.fate}`;
    case "edit":
      return seen.isGood ? undefined : `edit ${seen.how}`;
    case "callEnded":
      return seen.end.kind === "refused" ? `refused, ${seen.end.failure}` : seen.end.kind;
    case "callAborted":
      return seen.ignoring ? "abort ignored" : "call aborted";
    case "unanswered":
      return `unanswered, ${seen.why}`;
    case "boot":
      return seen.phase === "failed" ? "boot failed" : undefined;
    default:
      return undefined;
  }
}
