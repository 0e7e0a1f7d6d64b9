import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Clock } from "../../core/clock.ts";
import { ApiError } from "../link/api.ts";

/**
 * A copy of something the daemon keeps, for as long as somebody watches it. An event is never applied to it, only taken
 * as a hint that it is out of date: the copy is then asked for again, at once where the last time is long enough ago,
 * else when it is. So it cannot drift, and a thousand events cost one request.
 */
export class LiveCopy<T> {
  readonly #value: Signal<T | undefined> = signal(undefined);
  readonly #failure: Signal<string | undefined> = signal(undefined);
  readonly #load: (previous: T | undefined) => Promise<T>;
  readonly #clock: Clock;
  readonly #pauseMs: number;
  #watchers = 0;
  #isStale = true;
  #isLoading = false;

  constructor(parts: {
    clock: Clock;
    /** Asks the daemon. */
    load: (previous: T | undefined) => Promise<T>;
    /** The shortest time from one answer to the next request. */
    pauseMs: number;
  }) {
    this.#clock = parts.clock;
    this.#load = parts.load;
    this.#pauseMs = parts.pauseMs;
  }

  /** The latest copy; undefined until there is one. */
  get value(): ReadonlySignal<T | undefined> {
    return this.#value;
  }

  /** Why the last try to get it failed; undefined where it did not. */
  get failure(): ReadonlySignal<string | undefined> {
    return this.#failure;
  }

  /** Keeps it up to date until the answer is called. */
  watch(): () => void {
    this.#watchers += 1;
    this.#refresh();
    return () => void (this.#watchers -= 1);
  }

  /** It is out of date. */
  touch(): void {
    this.#isStale = true;
    this.#refresh();
  }

  #refresh(): void {
    if (this.#isLoading || !this.#isStale || this.#watchers === 0) return;
    this.#isLoading = true;
    void this.#loadOnce().finally(() => {
      this.#isLoading = false;
      this.#refresh();
    });
  }

  async #loadOnce(): Promise<void> {
    // 1. Before the request: what happens while it is under way makes it stale again.
    this.#isStale = false;
    try {
      this.#value.value = await this.#load(this.#value.peek());
      this.#failure.value = undefined;
    } catch (thrown) {
      // 2. It is tried again at the next hint; a new connection is one.
      this.#failure.value = thrown instanceof ApiError ? thrown.message : "the answer could not be read";
    }
    await this.#clock.sleep(this.#pauseMs);
  }
}
