import { type Cancel, type Clock, sleepOn } from "../../src/core/clock.ts";
import { OwnTimers } from "../support/own-timers.ts";

/** The clock of one start of the daemon: with it, what it had set to happen ends. */
export class BootClock implements Clock {
  readonly #clock: Clock;
  readonly #timers: OwnTimers;
  #isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timers = new OwnTimers((ms, task) => clock.after(ms, task));
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
    return this.#timers.after(ms, task);
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
    this.#timers.end();
  }
}
