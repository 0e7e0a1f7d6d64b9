import type { Cancel, Clock } from "../core/clock.ts";
import type { HintKind } from "./path-watcher.ts";

/** How often hints are told; without either, each at once. */
export interface HintPace {
  /** Hints that come within this time of the first are told as one, when it is over. */
  batchMs?: number;
  /** No hint is told sooner than this after the one before; those that come meanwhile are told as one. */
  everyMs?: number;
}

/** A batch is told as the most telling hint in it. */
const weights: Readonly<Record<HintKind, number>> = { poll: 0, armed: 1, event: 2 };

/** Takes hints as they come and tells them at the pace that was asked for; none is lost, the last one never early. */
export class HintBatch {
  readonly #clock: Clock;
  readonly #pace: HintPace;
  readonly #tell: (kind: HintKind) => void;
  #waiting: HintKind | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #cancel: Cancel = () => {};

  constructor(parts: { clock: Clock; pace: HintPace; tell: (kind: HintKind) => void }) {
    this.#clock = parts.clock;
    this.#pace = parts.pace;
    this.#tell = parts.tell;
  }

  /** Tells the hint now, or with the others of its batch. */
  add(kind: HintKind): void {
    if (this.#waiting !== undefined) {
      if (weights[kind] > weights[this.#waiting]) this.#waiting = kind;
      return;
    }
    this.#waiting = kind;
    const waitMs = this.#waitMs();
    if (waitMs > 0) this.#cancel = this.#clock.after(waitMs, () => this.#flush());
    else this.#flush();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#cancel();
    this.#waiting = undefined;
  }

  #flush(): void {
    const kind = this.#waiting;
    this.clear();
    if (kind === undefined) return;
    this.#toldAt = this.#clock.now();
    this.#tell(kind);
  }

  /** A clock that was set back must not make the wait any longer than the limit. */
  #waitMs(): number {
    const { batchMs = 0, everyMs = 0 } = this.#pace;
    const left = this.#toldAt + everyMs - this.#clock.now();
    return Math.max(batchMs, Math.min(everyMs, left));
  }
}
