import { type Cancel, type Clock, sleepOn } from "../../src/core/clock.ts";
import { OwnTimers } from "../support/own-timers.ts";
import type { CrashVariant } from "./history.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the code of a killed process gets from whatever it touches: nothing it does has an effect any more. */
export class Killed extends Error {
  constructor() {
    super("the process was killed");
    this.name = "Killed";
  }
}

/** What never comes. */
export const never = new Promise<never>(() => {});

/**
 * One simulated process: from its start until it has stopped or is killed. Code cannot be stopped between two awaits,
 * but everything it can have an effect by goes through here, and from the moment of its death nothing has one.
 */
export class SimulatedProcess implements Clock {
  readonly boot: number;
  readonly #scheduler: Scheduler;
  readonly #timers: OwnTimers;
  readonly #atDeath: ((variant: CrashVariant) => void)[] = [];
  #isDead = false;
  /** Crash points to go; undefined where no crash is on its way. */
  #doomedIn: number | undefined;

  constructor(boot: number, scheduler: Scheduler) {
    this.boot = boot;
    this.#scheduler = scheduler;
    this.#timers = new OwnTimers((ms, task) => scheduler.after(ms, task));
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Timers of this process that wait. */
  get timers(): number {
    return this.#timers.size;
  }

  /** It is to die when it has passed so many crash points. */
  doom(points: number): void {
    this.#doomedIn = points;
  }

  /** No crash is on its way any more. */
  spare(): void {
    this.#doomedIn = undefined;
  }

  /** Told, once, when it dies: in the order of asking. */
  atDeath(act: (variant: CrashVariant) => void): void {
    this.#atDeath.push(act);
  }

  /** A point at which the process may be killed. Throws `Killed` where it is, or was before. */
  pass(variant: CrashVariant = "idle"): void {
    if (!this.#isDead && this.#doomedIn !== undefined && this.#doomedIn-- <= 0) this.kill(variant);
    if (this.#isDead) throw new Killed();
  }

  /** SIGKILL. */
  kill(variant: CrashVariant): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#doomedIn = undefined;
    this.#timers.end();
    for (const act of this.#atDeath) act(variant);
  }

  /** It has stopped by itself: what it still does is nobody's business, and has no effect. */
  exit(): void {
    this.#isDead = true;
    this.#timers.end();
  }

  /**
   * Work of the outside, asked for by this process: done at some turn to come, and told of then. It may be killed right
   * before and right after.
   */
  outside<T>(work: () => T): Promise<T> {
    if (this.#isDead) return never;
    return new Promise((resolve, reject) => {
      this.#scheduler.soon(() => {
        if (this.#isDead) return;
        try {
          this.pass();
          const value = work();
          this.pass();
          resolve(value);
        } catch (thrown) {
          if (!this.#isDead) reject(thrown);
        }
      });
    });
  }

  now(): number {
    return this.#scheduler.now;
  }

  after(ms: number, task: () => void): Cancel {
    return this.#timers.after(ms, task);
  }

  defer(task: () => void): void {
    this.#scheduler.defer(() => {
      if (this.#isDead) return;
      try {
        task();
      } catch (thrown) {
        if (!(thrown instanceof Killed)) throw thrown;
      }
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((delayMs, task) => this.after(delayMs, task), ms, signal);
  }
}
