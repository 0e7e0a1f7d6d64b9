import { errorText } from "../../src/core/errors.ts";
import type { ReceivedEvent, Segue } from "../support/segue.ts";

/** An event and when it was received. */
export interface TapedEvent extends ReceivedEvent {
  /** Milliseconds since the epoch, by the clock of the machine. */
  receivedAt: number;
}

const deadlineMs = 60_000;

/** Everything a daemon tells, as one reader receives it, over restarts too. */
export class EventTape {
  readonly events: TapedEvent[] = [];
  readonly #byType = new Map<string, TapedEvent[]>();
  #lastId = 0;
  #following: { abort: AbortController; ended: Promise<void> } | undefined;
  #end: string | undefined;
  #onEvent = Promise.withResolvers<void>();

  /** Reads on from the last event it has, from this daemon; the stream of the one before has to have ended. */
  async follow(segue: Segue): Promise<void> {
    await this.#following?.ended;
    const abort = new AbortController();
    this.#end = undefined;
    this.#following = { abort, ended: this.#read(segue, abort.signal) };
  }

  /** Resolves when the stream has ended. */
  async ended(): Promise<void> {
    await this.#following?.ended;
  }

  /** Closes the stream. */
  async stop(): Promise<void> {
    this.#following?.abort.abort();
    await this.ended();
  }

  /** The first answer of `look`, which is asked again after every event. Fails where the stream ends before. */
  async until<T>(what: string, look: () => T): Promise<NonNullable<T>> {
    const until = performance.now() + deadlineMs;
    for (;;) {
      const answer = look();
      if (answer) return answer;
      if (this.#end !== undefined) throw new Error(`the stream ended (${this.#end}) before ${what}`);
      const leftMs = until - performance.now();
      if (leftMs <= 0) throw new Error(`not within ${deadlineMs} ms: ${what}; ${this.#lastEvents()}`);
      await this.#nextEvent(leftMs);
    }
  }

  /** All events of a type. */
  all(type: string): readonly TapedEvent[] {
    return this.#byType.get(type) ?? [];
  }

  async #read(segue: Segue, signal: AbortSignal): Promise<void> {
    try {
      for await (const event of segue.events(this.#lastId, "", signal)) this.#take(event);
      this.#end = "by the daemon";
    } catch (thrown) {
      this.#end = errorText(thrown);
    }
    this.#wake();
  }

  #take(event: ReceivedEvent): void {
    if (event.id !== undefined) this.#lastId = event.id;
    const taped = { ...event, receivedAt: Date.now() };
    this.events.push(taped);
    const known = this.#byType.get(event.type);
    if (known) known.push(taped);
    else this.#byType.set(event.type, [taped]);
    this.#wake();
  }

  #wake(): void {
    this.#onEvent.resolve();
    this.#onEvent = Promise.withResolvers();
  }

  async #nextEvent(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([this.#onEvent.promise, promise]);
    clearTimeout(timer);
  }

  #lastEvents(): string {
    return `last events: ${JSON.stringify(this.events.slice(-20))}`;
  }
}

/** A field of an event's data that is text. */
export function textIn(event: ReceivedEvent, field: string): string {
  const value = event.data[field];
  if (typeof value !== "string") throw new Error(`${event.type} has no ${field}: ${JSON.stringify(event)}`);
  return value;
}
