import type { Cancel } from "../../src/core/clock.ts";

/** The timers of one process: with it, what it had set to happen ends. */
export class OwnTimers {
  readonly #after: (ms: number, task: () => void) => Cancel;
  readonly #waiting = new Set<Cancel>();
  #isOver = false;

  /** `after` sets the timers of whatever it is that runs the process. */
  constructor(after: (ms: number, task: () => void) => Cancel) {
    this.#after = after;
  }

  /** How many of them wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** As `Clock.after`; after the end nothing is set. */
  after(ms: number, task: () => void): Cancel {
    if (this.#isOver || ms === Infinity) return () => {};
    const cancel = this.#after(ms, () => {
      this.#waiting.delete(stop);
      task();
    });
    const stop = (): void => {
      this.#waiting.delete(stop);
      cancel();
    };
    this.#waiting.add(stop);
    return stop;
  }

  /** None of them happens any more, and no other is set. */
  end(): void {
    this.#isOver = true;
    for (const stop of this.#waiting) stop();
  }
}
