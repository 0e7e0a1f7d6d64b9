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
  #firstAt: number | undefined;
  #lastAt = 0;
  #wake = new AbortController();

  constructor(clock: Clock, debounceMs: () => number) {
    this.#clock = clock;
    this.#debounceMs = debounceMs;
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

  /** Resolves when it has been quiet for long enough; at once where nothing was touched. */
  async passed(): Promise<void> {
    while (this.#firstAt !== undefined) {
      const debounceMs = this.#debounceMs();
      // A clock that was set back must not make the quiet time longer.
      this.#lastAt = Math.min(this.#lastAt, this.#clock.now());
      this.#firstAt = Math.min(this.#firstAt, this.#lastAt);
      const until = Math.min(this.#lastAt + debounceMs, this.#firstAt + mostExtensions * debounceMs);
      const leftMs = until - this.#clock.now();
      if (leftMs <= 0) {
        this.#firstAt = undefined;
        return;
      }
      await this.#clock.sleep(leftMs, this.#wake.signal);
    }
  }
}
