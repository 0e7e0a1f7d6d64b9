import { type Cancel, type Clock, isoTime } from "../core/clock.ts";
import type { DeltaEvent, EventBus, EventListener, StoredEvent } from "../core/events.ts";
import type { Store } from "../store/store.ts";
import { EventBatch, type EventFilter } from "./event-batch.ts";
import { EventPages } from "./event-pages.ts";
import { EventReader, transientText } from "./event-reader.ts";

/** A comment this often keeps proxies and clients from giving up (contract section 6). */
const heartbeatMs = 15_000;
/** What all readers may hold together; each has an equal share of it, within bounds. */
const mostHeldBytes = 64 * 1024 * 1024;
const smallestShareBytes = 8 * 1024;
const largestShareBytes = 4 * 1024 * 1024;

/** Sends events to those who read them: one text an event, however many readers there are. */
export class EventStreams implements EventListener {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #pages: EventPages;
  readonly #readers = new Set<EventReader>();
  /** How many read a session by name. */
  readonly #subscribers = new Map<string, number>();
  readonly #unsubscribe: () => void;
  #cancelHeartbeat: Cancel;
  #dropped = 0;
  #isClosed = false;

  constructor(parts: { store: Store; clock: Clock; bus: EventBus }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#pages = new EventPages(parts.store);
    this.#unsubscribe = parts.bus.subscribe(this);
    this.#cancelHeartbeat = this.#beat();
  }

  /** A new stream, from the first event after `after`; null starts with the next one that happens. */
  open(after: number | null, filter: EventFilter): ReadableStream<Uint8Array> {
    const reader = new EventReader({
      store: this.#store,
      pages: this.#pages,
      clock: this.#clock,
      filter,
      shareBytes: () => this.#shareBytes,
      onEnd: (ended) => this.#ended(ended),
      onDropped: (count) => (this.#dropped += count),
    });
    this.#readers.add(reader);
    this.#countSubscriber(filter, 1);
    const stream = reader.stream(after);
    if (this.#isClosed) reader.end();
    return stream;
  }

  /** How many events, pieces of replies among them, were not sent to readers that were too slow for them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many read the events of a session by name. */
  subscribersOf(session: string): number {
    return this.#subscribers.get(session) ?? 0;
  }

  stored(events: readonly StoredEvent[]): void {
    this.#pages.outdate();
    if (this.#readers.size === 0) return;
    const batch = new EventBatch(events);
    for (const reader of this.#readers) reader.offer(batch);
  }

  delta(event: DeltaEvent): void {
    if (this.#readers.size === 0) return;
    const { session } = event;
    const type = "message.delta";
    const text = transientText(type, { at: isoTime(this.#clock.now()), ...event });
    for (const reader of this.#readers) reader.offerDelta(session, type, text);
  }

  /** The sessions whose events somebody reads by name. */
  subscribedSessions(): Set<string> {
    return new Set(this.#subscribers.keys());
  }

  /** Ends every stream; readers come back with the id they saw last. */
  endAll(): void {
    for (const reader of this.#readers) reader.end();
  }

  /** Ends every stream, those that are opened from now on too, and takes part in nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelHeartbeat();
    this.#unsubscribe();
    this.endAll();
  }

  #ended(reader: EventReader): void {
    // 1. A reader may end twice: by us, and by going away.
    if (this.#readers.delete(reader)) this.#countSubscriber(reader.filter, -1);
  }

  #countSubscriber({ session }: EventFilter, more: 1 | -1): void {
    if (session === undefined) return;
    const count = this.subscribersOf(session) + more;
    if (count > 0) this.#subscribers.set(session, count);
    else this.#subscribers.delete(session);
  }

  get #shareBytes(): number {
    const share = mostHeldBytes / Math.max(1, this.#readers.size);
    return Math.min(largestShareBytes, Math.max(smallestShareBytes, share));
  }

  #beat(): Cancel {
    return this.#clock.after(heartbeatMs, () => {
      for (const reader of this.#readers) reader.beat();
      this.#cancelHeartbeat = this.#beat();
    });
  }
}
