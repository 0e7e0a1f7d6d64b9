import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { FeedEvent } from "../link/event-feed.ts";

/** The pieces of replies that came in since a session is looked at, by message. They are shown once a picture. */
export class ArrivingReplies {
  readonly #texts: Signal<ReadonlyMap<string, string>> = signal(new Map());
  readonly #nextFrame: (task: () => void) => void;
  #arrived = new Map<string, string>();
  #isWaiting = false;

  /** `nextFrame` runs its task before the next picture. */
  constructor(nextFrame: (task: () => void) => void) {
    this.#nextFrame = nextFrame;
  }

  get all(): ReadonlySignal<ReadonlyMap<string, string>> {
    return this.#texts;
  }

  /** Takes a piece; any other event of a message ends what has come for it, as another attempt begins from nothing. */
  observe({ type, data }: FeedEvent): void {
    const { message, text } = data;
    if (typeof message !== "string") return;
    if (type !== "message.delta") this.#arrived.set(message, "");
    else if (typeof text === "string") this.#arrived.set(message, (this.#arrived.get(message) ?? "") + text);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#nextFrame(() => this.#publish());
  }

  #publish(): void {
    this.#isWaiting = false;
    for (const [message, text] of this.#arrived) if (text === "") this.#arrived.delete(message);
    this.#texts.value = new Map(this.#arrived);
  }
}
