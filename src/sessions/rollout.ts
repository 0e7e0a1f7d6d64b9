import type { Cancel, Clock } from "../core/clock.ts";
import type { NewEvent } from "../core/events.ts";

/** No rollout takes longer, however many sessions it has: its steps widen (contract section 2, `reload.staggerMs`). */
const longestRolloutMs = 60_000;

/**
 * How many idle sessions restart at each step: one at once, then as many every `staggerMs` as it takes to end within
 * a minute, at least one.
 */
export function sessionsPerStep(count: number, staggerMs: number): number {
  if (staggerMs === 0) return Math.max(1, count);
  const steps = Math.max(1, Math.floor(longestRolloutMs / staggerMs));
  return Math.max(1, Math.ceil((count - 1) / steps));
}

/** A session as a rollout sees it. */
export interface RolloutSession {
  readonly id: string;
  /** Restarts it if that is still due; the answer says whether it is. */
  follow(): boolean;
}

/** Where a rollout stands. */
export interface RolloutStatus {
  revision: number;
  total: number;
  done: number;
  state: "running" | "finished" | "superseded";
}

/**
 * Brings a revision to the loaded sessions it affects: the idle ones step by step, the others when they come to it
 * themselves. A newer one takes its place.
 */
export class Rollout {
  readonly #clock: Clock;
  readonly #staggerMs: () => number;
  readonly #tell: (event: NewEvent) => void;
  readonly #revision: number;
  readonly #total: number;
  /** Affected, and not yet seen with their new generator. */
  readonly #left: Set<string>;
  readonly #idle: RolloutSession[];
  readonly #perStep: number;
  #state: RolloutStatus["state"] = "running";
  #cancelStep: Cancel | undefined;
  #isProgressTold = true;

  /** `idle` in the order in which they are to restart; `others` restart without a step. */
  constructor(parts: {
    clock: Clock;
    staggerMs: () => number;
    tell: (event: NewEvent) => void;
    revision: number;
    idle: readonly RolloutSession[];
    others: readonly RolloutSession[];
  }) {
    this.#clock = parts.clock;
    this.#staggerMs = parts.staggerMs;
    this.#tell = parts.tell;
    this.#revision = parts.revision;
    this.#idle = [...parts.idle].toReversed();
    this.#left = new Set([...parts.idle, ...parts.others].map((session) => session.id));
    this.#total = this.#left.size;
    this.#perStep = sessionsPerStep(parts.idle.length, parts.staggerMs());
  }

  get status(): RolloutStatus {
    const total = this.#total;
    return { revision: this.#revision, total, done: total - this.#left.size, state: this.#state };
  }

  /** Takes the first step. */
  start(): void {
    this.#tell({ type: "rollout.started", data: { revision: this.#revision, total: this.#total } });
    this.#step(this.#staggerMs() === 0 ? this.#idle.length : 1);
  }

  /** A session has its new generator, or is gone. */
  passed(session: string): void {
    if (!this.#left.delete(session) || this.#state !== "running" || !this.#isProgressTold) return;
    // 1. Told once for all that pass in one turn of the event loop.
    this.#isProgressTold = false;
    this.#clock.defer(() => this.#tellProgress());
  }

  /** A newer revision takes its place, or the daemon stops. */
  supersede(): void {
    if (this.#state !== "running") return;
    this.#cancelStep?.();
    this.#state = "superseded";
    const { revision, done, total } = this.status;
    this.#tell({ type: "rollout.superseded", data: { revision, done, total } });
  }

  /** Each is checked again at its step: one that is no longer due is passed over. */
  #step(count: number): void {
    for (let taken = 0; taken < count;) {
      const session = this.#idle.pop();
      if (!session) break;
      if (!this.#left.has(session.id)) continue;
      if (session.follow()) taken += 1;
      else this.passed(session.id);
    }
    if (this.#idle.length > 0)
      this.#cancelStep = this.#clock.after(Math.min(this.#staggerMs(), longestRolloutMs), () =>
        this.#step(this.#perStep),
      );
  }

  #tellProgress(): void {
    this.#isProgressTold = true;
    if (this.#state !== "running") return;
    const { revision, done, total } = this.status;
    this.#tell({ type: "rollout.progressed", data: { done, total } });
    if (done < total) return;
    this.#cancelStep?.();
    this.#state = "finished";
    this.#tell({ type: "rollout.finished", data: { revision, total } });
  }
}
