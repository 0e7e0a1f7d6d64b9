import type { Cancel, Clock } from "../core/clock.ts";
import { dueToUnload } from "./idle.ts";
import type { Session } from "./session.ts";

/** At the earliest this long after the last look it is looked again who may be unloaded. */
const shortestSweepMs = 1000;

/** Looks who has been idle for long enough, each time one may have been: one timer for all, none while none is loaded. */
export class IdleSweep {
  readonly #clock: Clock;
  readonly #idleUnloadMs: () => number;
  readonly #sessions: ReadonlyMap<string, Session>;
  readonly #unload: (sessions: readonly Session[]) => void;
  #cancel: Cancel | undefined;
  #isStopped = false;

  constructor(parts: {
    clock: Clock;
    idleUnloadMs: () => number;
    /** Those that are loaded now. */
    sessions: ReadonlyMap<string, Session>;
    unload: (sessions: readonly Session[]) => void;
  }) {
    this.#clock = parts.clock;
    this.#idleUnloadMs = parts.idleUnloadMs;
    this.#sessions = parts.sessions;
    this.#unload = parts.unload;
  }

  /** A session was loaded: there is somebody to look after. */
  begin(): void {
    if (!this.#cancel) this.#schedule();
  }

  /** Unloads who has been idle for long enough by now. */
  sweep(): void {
    const { unload, nextAt } = dueToUnload(this.#sessions.values(), this.#clock.now(), this.#idleUnloadMs());
    this.#unload(unload);
    this.#schedule(nextAt);
  }

  /** Looks no more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #schedule(at?: number): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#isStopped || this.#sessions.size === 0) return;
    const waitMs = at === undefined ? this.#idleUnloadMs() : at - this.#clock.now();
    this.#cancel = this.#clock.after(Math.max(waitMs, shortestSweepMs), () => {
      this.#cancel = undefined;
      this.sweep();
    });
  }
}
