import { type Signal, signal } from "@preact/signals";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Cancel, Clock } from "../../core/clock.ts";
import { type Api, ApiError } from "./api.ts";

/** An event as it came; `id` is undefined for those that are not kept. */
export interface FeedEvent {
  id: number | undefined;
  type: string;
  data: Readonly<Record<string, unknown>>;
}

/**
 * - `connecting`: at first.
 * - `live`: events come.
 * - `lost`: since a time; the next try is made at another.
 */
export type FeedState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "lost"; since: number; nextTryAt: number };

/** A stream that says nothing for this long, not even its comment of every 15 s, is taken to be dead. */
const silenceMs = 40_000;
const firstPauseMs = 500;
const longestPauseMs = 8000;

/**
 * The daemon's events, one after the other, over every loss of the connection: it comes back by itself with the id of
 * the last event it saw, so that nothing is missed. `onOpen` is told at each connection; what was not kept (ids that
 * are gone, no id yet) can be asked for anew there.
 */
export class EventFeed {
  readonly state: Signal<FeedState> = signal({ kind: "connecting" });
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #path: string;
  readonly #onOpen: () => void;
  readonly #onEvent: (event: FeedEvent) => void;
  readonly #stopped = new AbortController();
  #lastId: string | undefined;
  #hurry = new AbortController();

  constructor(parts: {
    api: Api;
    clock: Clock;
    /** Such as `api/events?type=session.*`. */
    path: string;
    onOpen: () => void;
    onEvent: (event: FeedEvent) => void;
  }) {
    this.#api = parts.api;
    this.#clock = parts.clock;
    this.#path = parts.path;
    this.#onOpen = parts.onOpen;
    this.#onEvent = parts.onEvent;
  }

  /** Reads until it is stopped; resolves then. */
  async run(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#stopped.signal.aborted) {
      const wasLive = await this.#read();
      if (this.#stopped.signal.aborted) return;
      pauseMs = wasLive ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
      await this.#pause(pauseMs);
    }
  }

  /** Tries again now, where it waits to. */
  retryNow(): void {
    this.#hurry.abort();
  }

  /** Ends it, for good. */
  stop(): void {
    this.#stopped.abort();
    this.#hurry.abort();
  }

  /** One connection, to its end; whether it came about. */
  async #read(): Promise<boolean> {
    const cut = new AbortController();
    const watch = new SilenceWatch(this.#clock, () => cut.abort());
    const signal = AbortSignal.any([cut.signal, this.#stopped.signal]);
    let isOpen = false;
    try {
      const body = await this.#api.open(this.#path, this.#lastId, signal);
      isOpen = true;
      this.state.value = { kind: "live" };
      this.#onOpen();
      await this.#take(body, watch);
    } catch (thrown) {
      if (!isEndOfConnection(thrown)) throw thrown;
    } finally {
      watch.end();
      cut.abort();
    }
    return isOpen;
  }

  async #take(body: ReadableStream<Uint8Array>, watch: SilenceWatch): Promise<void> {
    const watched = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        watch.heard();
        controller.enqueue(chunk);
      },
    });
    const events = body
      .pipeThrough(watched)
      .pipeThrough(decoder())
      .pipeThrough(new EventSourceParserStream())
      .getReader();
    for (let next = await events.read(); !next.done; next = await events.read()) {
      const { id, event, data } = next.value;
      // Kept before it is told: a listener that fails does not have it told again for ever.
      if (id !== undefined) this.#lastId = id;
      this.#onEvent({
        id: id === undefined ? undefined : Number(id),
        type: event ?? "message",
        data: JSON.parse(data),
      });
    }
  }

  async #pause(ms: number): Promise<void> {
    const { state } = this;
    const now = this.#clock.now();
    const since = state.value.kind === "lost" ? state.value.since : now;
    state.value = { kind: "lost", since, nextTryAt: now + ms };
    this.#hurry = new AbortController();
    await this.#clock.sleep(ms, this.#hurry.signal);
  }
}

/** Calls `onSilent` once nothing was heard for `silenceMs`. */
class SilenceWatch {
  readonly #clock: Clock;
  readonly #onSilent: () => void;
  #cancel: Cancel;

  constructor(clock: Clock, onSilent: () => void) {
    this.#clock = clock;
    this.#onSilent = onSilent;
    this.#cancel = clock.after(silenceMs, onSilent);
  }

  heard(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(silenceMs, this.#onSilent);
  }

  end(): void {
    this.#cancel();
  }
}

/** `TextDecoderStream` as the types of a stream of bytes want it. */
function decoder(): TransformStream<Uint8Array, string> {
  const text = new TextDecoder();
  return new TransformStream({
    transform: (chunk, controller) => controller.enqueue(text.decode(chunk, { stream: true })),
  });
}

/** A connection that could not be had, was refused, cut or given up. */
function isEndOfConnection(thrown: unknown): boolean {
  return thrown instanceof ApiError || thrown instanceof DOMException || thrown instanceof TypeError;
}
