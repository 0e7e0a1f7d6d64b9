/** Undoes a timer that has not fired yet; calling it later, or twice, does nothing. */
export type Cancel = () => void;

/**
 * Time, handed in. The only place of the program that reads the time or sets a timer, so that the whole
 * daemon can run under a simulated clock.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `task` once, `ms` milliseconds from now (never synchronously). */
  after(ms: number, task: () => void): Cancel;
  /** Runs `task` when the present turn of the event loop is over: the moment a group commit is taken. */
  defer(task: () => void): void;
  /** Resolves after `ms` milliseconds, or at once when `signal` is or gets aborted. It never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** setTimeout counts in a signed 32-bit integer; a longer wait is taken in parts. */
const longestTimerMs = 2_147_483_647;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: afterOnMachine,
  defer: (task) => void setImmediate(task),
  sleep: (ms, signal) => sleepOn(afterOnMachine, ms, signal),
};

function afterOnMachine(ms: number, task: () => void): Cancel {
  let timer: ReturnType<typeof setTimeout>;
  const arm = (left: number): void => {
    timer =
      left > longestTimerMs
        ? setTimeout(() => arm(left - longestTimerMs), longestTimerMs)
        : setTimeout(task, Math.max(0, left));
  };
  arm(ms);
  return () => clearTimeout(timer);
}

/** `Clock.sleep` for any clock that has `after`. */
export function sleepOn(after: Clock["after"], ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const cancel = after(ms, wake);
    signal?.addEventListener("abort", wake, { once: true });
  });
}

/** A time as every answer and event shows it: ISO 8601, UTC, with milliseconds. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
