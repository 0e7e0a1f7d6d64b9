import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Clock } from "../../core/clock.ts";
import { ApiError } from "../link/api.ts";
import { Refresher } from "./refresher.ts";

/**
 * A copy of something the daemon keeps. An event is never applied to it, only taken as a hint that it is out of date:
 * so it cannot drift, whatever was missed.
 */
export class LiveCopy<T> {
  readonly #value: Signal<T | undefined> = signal(undefined);
  readonly #failure: Signal<string | undefined> = signal(undefined);
  readonly #load: () => Promise<T>;
  readonly #refresher: Refresher;

  constructor(parts: {
    clock: Clock;
    /** Asks the daemon. */
    load: () => Promise<T>;
    /** The shortest time between two requests. */
    pauseMs: number;
  }) {
    this.#load = parts.load;
    const refresh = (): Promise<void> => this.#refresh();
    this.#refresher = new Refresher({ clock: parts.clock, refresh, pauseMs: parts.pauseMs });
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
    return this.#refresher.watch();
  }

  /** It is out of date. */
  touch(): void {
    this.#refresher.touch();
  }

  async #refresh(): Promise<void> {
    try {
      this.#value.value = await this.#load();
      this.#failure.value = undefined;
    } catch (thrown) {
      // It is tried again at the next hint; a new connection is one.
      this.#failure.value = failureText(thrown);
    }
  }
}

/** What is said of a request that failed. */
export function failureText(thrown: unknown): string {
  return thrown instanceof ApiError ? thrown.message : "the answer could not be read";
}
