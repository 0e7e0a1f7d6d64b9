import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { FeedEvent } from "../link/event-feed.ts";

/** An event that is kept, with its id. */
export interface RecentEvent {
  id: number;
  type: string;
  at: number;
  data: FeedEvent["data"];
}

const mostKept = 300;

/** The latest events since the page was opened, newest first. */
export class RecentEvents {
  readonly #events: Signal<readonly RecentEvent[]> = signal([]);
  readonly #wait: (publish: () => void) => void;
  #arrived: RecentEvent[] = [];

  /** `nextFrame` runs its task before the next picture: events that come together are shown together. */
  constructor(nextFrame: (task: () => void) => void) {
    this.#wait = nextFrame;
  }

  get all(): ReadonlySignal<readonly RecentEvent[]> {
    return this.#events;
  }

  add({ id, type, data }: FeedEvent): void {
    if (id === undefined) return;
    if (this.#arrived.length === 0) this.#wait(() => this.#publish());
    this.#arrived.push({ id, type, at: Date.parse(String(data["at"])), data });
  }

  #publish(): void {
    this.#events.value = [...this.#arrived.toReversed(), ...this.#events.peek()].slice(0, mostKept);
    this.#arrived = [];
  }
}
