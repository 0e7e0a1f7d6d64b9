import { type Cancel, type Clock, sleepOn } from "../../src/core/clock.ts";

/** The clock of one start of the daemon: with it, what it had set to happen ends. */
export class BootClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Cancel>();
  #isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the process was killed. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** How many timers and sleepers of this start wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#clock.now();
  }

  after(ms: number, task: () => void): Cancel {
    if (this.#isDead || ms === Infinity) return () => {};
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(stop);
      task();
    });
    const stop = (): void => {
      this.#timers.delete(stop);
      cancel();
    };
    this.#timers.add(stop);
    return stop;
  }

  defer(task: () => void): void {
    this.#clock.defer(() => {
      if (!this.#isDead) task();
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((delayMs, task) => this.after(delayMs, task), ms, signal);
  }

  /** The process is killed: nothing it waited for happens any more. */
  kill(): void {
    this.#isDead = true;
    for (const stop of this.#timers) stop();
  }
}
