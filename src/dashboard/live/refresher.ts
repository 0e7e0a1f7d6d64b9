import type { Clock } from "../../core/clock.ts";

/**
 * Asks again for what is out of date, for as long as somebody watches: at once where the last time is long enough ago,
 * else when it is. A thousand hints in between are one request.
 */
export class Refresher {
  readonly #clock: Clock;
  readonly #refresh: () => Promise<void>;
  readonly #pauseMs: number;
  #watchers = 0;
  #isStale = true;
  #isRunning = false;

  constructor(parts: {
    clock: Clock;
    /** Asks; it never rejects. */
    refresh: () => Promise<void>;
    /** The shortest time between two requests; where one takes long it is three times as long as that. */
    pauseMs: number;
  }) {
    this.#clock = parts.clock;
    this.#refresh = parts.refresh;
    this.#pauseMs = parts.pauseMs;
  }

  /** Keeps it up to date until the answer is called. */
  watch(): () => void {
    this.#watchers += 1;
    this.#next();
    return () => void (this.#watchers -= 1);
  }

  /** It is out of date. */
  touch(): void {
    this.#isStale = true;
    this.#next();
  }

  #next(): void {
    if (this.#isRunning || !this.#isStale || this.#watchers === 0) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
      this.#next();
    });
  }

  async #run(): Promise<void> {
    // Before the request: what happens while it is under way makes it stale again.
    this.#isStale = false;
    const began = this.#clock.now();
    await this.#refresh();
    const tookMs = this.#clock.now() - began;
    await this.#clock.sleep(Math.max(this.#pauseMs, 3 * tookMs));
  }
}
