import type { EventListener, StoredEvent } from "../core/events.ts";

const ends: ReadonlySet<StoredEvent["type"]> = new Set([
  "message.done",
  "message.failed",
  "message.cancelled",
]);

/** Those who wait for messages to end (`Prefer: wait`, RFC 7240). */
export class MessageEnds implements EventListener {
  readonly #waiting = new Map<string, Set<() => void>>();
  #isClosed = false;

  /**
   * Resolves when the message has ended, when `signal` is aborted, or when all are let go; at once, where nobody may
   * wait any more. To be asked for before the message is accepted or looked at, so that its end is not missed.
   */
  of(message: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#waiting.get(message) ?? new Set();
      const end = (): void => {
        waiters.delete(end);
        if (waiters.size === 0) this.#waiting.delete(message);
        signal.removeEventListener("abort", end);
        resolve();
      };
      waiters.add(end);
      this.#waiting.set(message, waiters);
      signal.addEventListener("abort", end, { once: true });
    });
  }

  /** Lets everybody go, and whoever comes after: the daemon stops. */
  close(): void {
    this.#isClosed = true;
    this.releaseAll();
  }

  /** Lets everybody go: what takes the turns is another from now on. */
  releaseAll(): void {
    for (const waiters of this.#waiting.values()) for (const end of waiters) end();
  }

  stored(events: readonly StoredEvent[]): void {
    if (this.#waiting.size === 0) return;
    for (const event of events)
      if (ends.has(event.type)) {
        const { message }: { message: string } = JSON.parse(event.data);
        for (const end of this.#waiting.get(message) ?? []) end();
      }
  }

  delta(): void {
    // A piece of a reply ends nothing.
  }
}
