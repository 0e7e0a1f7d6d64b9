/** Why the daemon restarts; also why it started, where it did so after a crash. */
export type RestartCause = "configuration" | "request" | "upgrade" | "crash";

/** What is told to sessions that were at work (contract section 3.6). */
export function restartNote(cause: RestartCause): string {
  const recovered = "Your session state has been recovered from the last checkpoint.";
  switch (cause) {
    case "configuration":
      return `[system] The daemon restarted due to a configuration change. ${recovered}`;
    case "request":
      return `[system] The daemon restarted on request. ${recovered}`;
    case "upgrade":
      return `[system] The daemon restarted for an upgrade. ${recovered}`;
    case "crash":
      return `[system] The daemon stopped unexpectedly. ${recovered}`;
  }
}

/** What the last restart was, as `GET /api/daemon` shows it. */
export interface LastRestart {
  at: number;
  reason: string;
  /** From closing the gate to turns until it was open again. */
  downtimeMs: number;
  /** Those that had a turn in flight, something pending or a reader of their events. */
  sessions: { id: string; turns: number; subscribers: number }[];
  /** Messages that were put back. */
  requeued: number;
  /** Turns aborted at the end of the grace. */
  timedOut: number;
}
