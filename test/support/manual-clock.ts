import { sleepOn, type Cancel, type Clock } from "../../src/core/clock.ts";

interface Timer {
  at: number;
  order: number;
  task: () => void;
}

/** Turns of the event loop that are let pass after each timer: enough for a chain of promises and group commits. */
const settlingTurns = 10;

/** A clock that stands still until it is advanced. */
export class ManualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(now = Date.parse("2026-01-01T00:00:00Z")) {
    this.#now = now;
  }

  /** How many timers and sleepers wait: 0 where a part left nothing behind. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** When the next timer fires; undefined where none waits. */
  get nextAt(): number | undefined {
    return this.#next()?.at;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): Cancel {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, task };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  defer(task: () => void): void {
    setImmediate(task);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((delayMs, task) => this.after(delayMs, task), ms, signal);
  }

  /** Moves time on by `ms`, fires what falls due in order, and lets promises settle after each and at the end. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let timer = this.#next(); timer && timer.at <= until; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.task();
      await this.settle();
    }
    this.#now = until;
  }

  /** Lets promises and deferred tasks run without moving time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < settlingTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    return first;
  }
}
