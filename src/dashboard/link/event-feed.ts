import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
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
 * - `resting`: nobody sees the page; it goes on where it was when somebody does.
 * - `lost`: since a time; the next try is made at another.
 */
export type FeedState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "resting" }
  | { kind: "lost"; since: number; nextTryAt: number };

/** A stream that says nothing for this long, not even its comment of every 15 s, is taken to be dead. */
const silenceMs = 40_000;
const firstPauseMs = 500;
const longestPauseMs = 8000;

/**
 * The daemon's events, one after the other, over every loss of the connection: it comes back by itself with the id of
 * the last event it saw, so that nothing is missed. `onOpen` is told at each connection; what was not kept (ids that
 * are gone, no id yet) can be asked for anew there.
 *
 * While the page is not seen it holds no connection: a browser has six for a daemon, all tabs together, and six tabs
 * that are forgotten would keep the seventh from everything.
 */
export class EventFeed {
  readonly state: Signal<FeedState> = signal({ kind: "connecting" });
  readonly #parts: EventFeedParts;
  readonly #stopped = new AbortController();
  #lastId: string | undefined;
  /** Ends the present connection, or the pause before the next. */
  #present = new AbortController();

  constructor(parts: EventFeedParts) {
    this.#parts = parts;
  }

  /** Reads until it is stopped; resolves then. */
  async run(): Promise<void> {
    const { isSeen } = this.#parts;
    const unfollow = isSeen.subscribe(() => this.#present.abort());
    let pauseMs = firstPauseMs;
    while (!this.#stopped.signal.aborted) {
      const present = new AbortController();
      this.#present = present;
      if (!isSeen.peek()) {
        await this.#rest();
        continue;
      }
      const wasLive = await this.#read();
      // Ended from here: nothing was lost.
      if (present.signal.aborted) continue;
      pauseMs = wasLive ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
      await this.#pause(pauseMs);
    }
    unfollow();
  }

  /** Tries again now, where it waits to. */
  retryNow(): void {
    if (this.state.peek().kind === "lost") this.#present.abort();
  }

  /** Ends it, for good. */
  stop(): void {
    this.#stopped.abort();
    this.#present.abort();
  }

  /** One connection, to its end; whether it came about. */
  async #read(): Promise<boolean> {
    const { api, clock, path, onOpen } = this.#parts;
    const cut = new AbortController();
    const watch = new SilenceWatch(clock, () => cut.abort());
    const signal = AbortSignal.any([cut.signal, this.#present.signal]);
    let isOpen = false;
    try {
      const body = await api.open(path, this.#lastId, signal);
      isOpen = true;
      this.state.value = { kind: "live" };
      onOpen();
      await this.#take(body, watch);
    } catch (thrown) {
      if (!isEndOfConnection(thrown)) reportError(thrown);
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
      this.#parts.onEvent({
        id: id === undefined ? undefined : Number(id),
        type: event ?? "message",
        data: JSON.parse(data),
      });
    }
  }

  /** Until the page is seen again, or it is stopped. */
  async #rest(): Promise<void> {
    this.state.value = { kind: "resting" };
    await new Promise<void>((resolve) => {
      this.#present.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  async #pause(ms: number): Promise<void> {
    const { state } = this;
    const now = this.#parts.clock.now();
    const since = state.value.kind === "lost" ? state.value.since : now;
    this.#present = new AbortController();
    state.value = { kind: "lost", since, nextTryAt: now + ms };
    await this.#parts.clock.sleep(ms, this.#present.signal);
  }
}

/** What a feed needs. */
interface EventFeedParts {
  api: Pick<Api, "open">;
  clock: Clock;
  /** Such as `api/events?type=session.*`. */
  path: string;
  /** Whether somebody can see the page. */
  isSeen: ReadonlySignal<boolean>;
  onOpen: () => void;
  onEvent: (event: FeedEvent) => void;
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
