import type { Seen } from "../history.ts";
import { expect } from "./violation.ts";

type Stored = Extract<Seen, { kind: "stored" }>;

/** Judges what is left when nothing stirs: no slot, no work, no restart that is due (sections 3.4 and 5). */
export function expectRest({ sessions, stats, status, daemon }: Stored, usedToday: number): void {
  expect(stats.busySessions === 0, "rest", () => `${stats.busySessions} sessions are busy at rest`);
  for (const [name, { inFlight }] of Object.entries(stats.providers))
    expect(inFlight === 0, "nothing leaks", () => `${inFlight} slots of ${name} are taken at rest`);
  for (const { id, state, inFlight, pendingRestart } of sessions) {
    const isAtRest = state === "idle" || state === "unloaded" || state === "waiting";
    expect(isAtRest && inFlight === 0, "rest", () => `${id} is ${state} with ${inFlight} in flight at rest`);
    expect(
      pendingRestart === null,
      "pending restarts",
      () => `${id} is still to restart: ${pendingRestart?.reason}`,
    );
  }
  const isRollingOut = status.rollout?.state === "running";
  expect(
    !isRollingOut,
    "rest",
    () => `a rollout is at ${status.rollout?.done} of ${status.rollout?.total} at rest`,
  );
  expect(daemon.phase === "serving", "rest", () => `the daemon is ${daemon.phase} at rest`);
  expect(status.problems.length === 0, "rest", () => "the settings file is good and told to be bad at rest");
  const isCounted = stats.tokensToday === usedToday;
  expect(isCounted, "budget", () => `${stats.tokensToday} tokens are told, turns used ${usedToday}`);
}

/** Judges what a daemon leaves behind that was stopped: nothing. */
export function expectNothingLeft(end: Extract<Seen, { kind: "end" }>): void {
  for (const name of ["timers", "listeners", "databases", "watches", "calls"] as const)
    expect(end[name] === 0, "nothing leaks", () => `${end[name]} ${name} are left`);
}
