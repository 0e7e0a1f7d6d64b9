import type { Clock } from "../core/clock.ts";

/** However often a file is touched, it is read at the latest this many quiet times after the first event. */
const mostExtensions = 10;

/**
 * The quiet time after the last file event (`reload.debounceMs`), at most ten times as long after the first one, so
 * that a file that is touched for ever is read all the same.
 */
export class QuietTime {
  readonly #clock: Clock;
  readonly #debounceMs: () => number;
  readonly #mark: () => string;
  #firstAt: number | undefined;
  #lastAt = 0;
  #wake = new AbortController();

  /** `mark` tells one state of the file from another: where no events come, it is what shows that it is not quiet. */
  constructor(parts: { clock: Clock; debounceMs: () => number; mark: () => string }) {
    this.#clock = parts.clock;
    this.#debounceMs = parts.debounceMs;
    this.#mark = parts.mark;
  }

  /** Whether something was touched that has not been waited for yet. */
  get isRunning(): boolean {
    return this.#firstAt !== undefined;
  }

  /** Something happened now. */
  touch(): void {
    this.#lastAt = this.#clock.now();
    this.#firstAt ??= this.#lastAt;
  }

  /** Lets nobody wait any longer. */
  end(): void {
    this.#firstAt = undefined;
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  /** Resolves when it has been quiet for long enough, or was ended; at once where nothing was touched. */
  async passed(): Promise<void> {
    const { signal } = this.#wake;
    let seen: { mark: string; lastAt: number } | undefined;
    while (this.#firstAt !== undefined && !signal.aborted) {
      // A clock that was set back must not make the quiet time longer.
      this.#lastAt = Math.min(this.#lastAt, this.#clock.now());
      this.#firstAt = Math.min(this.#firstAt, this.#lastAt);
      const { until, latest } = this.#deadlines(this.#firstAt);
      // 1. After each event what is there now is what has to stay.
      if (seen?.lastAt !== this.#lastAt) seen = { mark: this.#mark(), lastAt: this.#lastAt };
      if (this.#clock.now() < until) {
        await this.#clock.sleep(until - this.#clock.now(), signal);
        continue;
      }
      if (this.#mark() === seen.mark || this.#clock.now() >= latest) this.#firstAt = undefined;
      else this.touch();
    }
  }

  #deadlines(firstAt: number): { until: number; latest: number } {
    const debounceMs = this.#debounceMs();
    const latest = firstAt + mostExtensions * debounceMs;
    return { until: Math.min(this.#lastAt + debounceMs, latest), latest };
  }
}
