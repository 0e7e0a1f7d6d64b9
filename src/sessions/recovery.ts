import type { Lease } from "../store/turns.ts";
import type { SessionSurroundings } from "./surroundings.ts";

/** The first wait before a generator that died of a bug is started again; doubled each time, at most a minute. */
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/** Generators of a session died one after another: gives back what they held, and pauses the longer the more did. */
export class Recovery {
  readonly #session: string;
  readonly #around: SessionSurroundings;
  #pauses = 0;
  #pause: AbortController | undefined;

  constructor(session: string, around: SessionSurroundings) {
    this.#session = session;
    this.#around = around;
  }

  /** Makes pending again what a generator still holds; false, and a fault told, where the store does not do it. */
  async giveBack(lease: Lease): Promise<boolean> {
    const { clock, store, onFault } = this.#around;
    try {
      await store.messages.release(lease, clock.now());
      return true;
    } catch (thrown) {
      onFault(this.#session, thrown);
      return false;
    }
  }

  /** Pauses, and again until the lease is given back. Ends early where the session is closed. */
  async rest(lease: Lease, isGivenBack: boolean, isClosed: () => boolean): Promise<void> {
    let isDone = isGivenBack;
    do {
      if (isClosed()) return;
      this.#pause = new AbortController();
      await this.#around.clock.sleep(pauseMs(this.#pauses++), this.#pause.signal);
      this.#pause = undefined;
      // 1. No message is taken before the one that was in flight is pending again: it comes first.
      isDone ||= await this.giveBack(lease);
    } while (!isDone);
  }

  /** Ends the pause: an edit may have helped. */
  cutShort(): void {
    this.#pause?.abort();
  }
}

function pauseMs(before: number): number {
  return Math.min(firstPauseMs * 2 ** Math.min(before, 10), longestPauseMs);
}
