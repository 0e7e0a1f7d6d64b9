import { type Cancel, type Clock, isoTime } from "../core/clock.ts";
import type { DeltaEvent, EventBus, EventListener, StoredEvent } from "../core/events.ts";
import type { Store } from "../store/store.ts";

/** Which events a reader wants; empty lists nothing out. */
export interface EventFilter {
  session: string | undefined;
  /** Type names, or `message.*` for all of a family; none means all. */
  types: readonly string[];
}

/** A comment this often keeps proxies and clients from giving up (contract section 6). */
const heartbeatMs = 15_000;
/** A reader with more than this waiting for it is too slow: it is told the gap, and closed. */
const mostQueuedBytes = 4 * 1024 * 1024;
const pageOfBacklog = 500;

const encoder = new TextEncoder();

/** Sends events to those who read them: one text an event, however many readers there are. */
export class EventStreams implements EventListener {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #readers = new Set<EventReader>();
  readonly #unsubscribe: () => void;
  #cancelHeartbeat: Cancel;
  #dropped = 0;

  constructor(parts: { store: Store; clock: Clock; bus: EventBus }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#unsubscribe = parts.bus.subscribe(this);
    this.#cancelHeartbeat = this.#beat();
  }

  /** A new stream, from the first event after `after`; null starts with the next one that happens. */
  open(after: number | null, filter: EventFilter): ReadableStream<Uint8Array> {
    const reader = new EventReader({
      store: this.#store,
      clock: this.#clock,
      filter,
      onEnd: (ended) => this.#readers.delete(ended),
      onDropped: (count) => (this.#dropped += count),
    });
    this.#readers.add(reader);
    return reader.stream(after);
  }

  /** How many events, pieces of replies among them, were not sent to readers that were too slow for them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many read the events of a session by name. */
  subscribersOf(session: string): number {
    let count = 0;
    for (const reader of this.#readers) if (reader.filter.session === session) count += 1;
    return count;
  }

  stored(events: readonly StoredEvent[]): void {
    if (this.#readers.size === 0) return;
    for (const event of events) {
      const text = encoder.encode(eventText(event));
      for (const reader of this.#readers) reader.offer(event, text);
    }
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
    return new Set([...this.#readers].flatMap((reader) => reader.filter.session ?? []));
  }

  /** Ends every stream; readers come back with the id they saw last. */
  endAll(): void {
    for (const reader of this.#readers) reader.end();
  }

  /** Ends every stream, and takes part in nothing any more. */
  close(): void {
    this.#cancelHeartbeat();
    this.#unsubscribe();
    this.endAll();
  }

  #beat(): Cancel {
    return this.#clock.after(heartbeatMs, () => {
      for (const reader of this.#readers) reader.beat();
      this.#cancelHeartbeat = this.#beat();
    });
  }
}

function eventText({ id, type, data }: StoredEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${data}\n\n`;
}

/** An event that is not stored: it has no id, and is not told again. */
function transientText(type: string, data: object): Uint8Array {
  return encoder.encode(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * One reader.
 *
 * - `behind`: what it has not seen is in the store, and is read from there as fast as it takes it. What is committed
 *   passes it by: it will find it there too, so that nothing is piled up for a reader that does not read.
 * - `joining`: a page that may be the last one is being read; what is committed meanwhile is kept for it.
 * - `live`: it has caught up, and is sent what is committed. Ids rise: what it was sent from the store is not sent
 *   again.
 */
class EventReader {
  readonly filter: EventFilter;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onEnd: (reader: EventReader) => void;
  readonly #onDropped: (count: number) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** The highest id that was sent or passed over. */
  #lastId = 0;
  #phase: "behind" | "joining" | "live" = "behind";
  /** Committed while it was joining. */
  #meanwhile: { event: StoredEvent; text: Uint8Array }[] = [];
  #onDrained: (() => void) | undefined;

  constructor(parts: {
    store: Store;
    clock: Clock;
    filter: EventFilter;
    onEnd: (reader: EventReader) => void;
    onDropped: (count: number) => void;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.filter = parts.filter;
    this.#onEnd = parts.onEnd;
    this.#onDropped = parts.onDropped;
  }

  stream(after: number | null): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          this.#enqueue(encoder.encode("retry: 1000\n\n"));
          void this.#catchUp(after).catch(() => this.end());
        },
        pull: () => this.#onDrained?.(),
        cancel: () => this.#forget(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }),
    );
  }

  /** Something was committed. */
  offer(event: StoredEvent, text: Uint8Array): void {
    if (this.#phase === "joining") this.#meanwhile.push({ event, text });
    if (this.#phase !== "live" || event.id <= this.#lastId) return;
    if (this.#queuedBytes > mostQueuedBytes) {
      this.#tellGap(this.#lastId + 1, event.id);
      this.#onDropped(event.id - this.#lastId);
      this.end();
      return;
    }
    this.#lastId = event.id;
    if (this.#wants(event.session, event.type)) this.#enqueue(text);
  }

  /** A piece of a reply; those who are behind or slow do without. */
  offerDelta(session: string, type: string, text: Uint8Array): void {
    if (!this.#wants(session, type)) return;
    if (this.#phase === "live" && this.#queuedBytes <= mostQueuedBytes / 2) this.#enqueue(text);
    else this.#onDropped(1);
  }

  beat(): void {
    if (this.#queuedBytes < mostQueuedBytes) this.#enqueue(encoder.encode(": still here\n\n"));
  }

  end(): void {
    const controller = this.#controller;
    this.#forget();
    controller?.close();
  }

  async #catchUp(after: number | null): Promise<void> {
    const { oldest, newest } = await this.#store.events.bounds();
    this.#lastId = after === null ? newest : Math.min(after, newest);
    if (this.#lastId > 0 && this.#lastId + 1 < oldest) this.#tellGap(this.#lastId + 1, oldest - 1);
    for (;;) {
      await this.#drained();
      if (!this.#controller) return;
      this.#phase = "joining";
      const page = await this.#store.events.after(this.#lastId, pageOfBacklog);
      for (const event of page) {
        this.#lastId = event.id;
        if (this.#wants(event.session, event.type)) this.#enqueue(encoder.encode(eventText(event)));
      }
      if (page.length < pageOfBacklog) break;
      this.#phase = "behind";
      this.#meanwhile = [];
    }
    this.#phase = "live";
    const meanwhile = this.#meanwhile;
    this.#meanwhile = [];
    for (const { event, text } of meanwhile) this.offer(event, text);
  }

  /** Resolves when the reader has taken what it was sent. */
  #drained(): Promise<void> {
    if (this.#queuedBytes < 64 * 1024) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  #tellGap(from: number, to: number): void {
    this.#enqueue(transientText("events.gap", { at: isoTime(this.#clock.now()), from, to }));
  }

  get #queuedBytes(): number {
    return 64 * 1024 - (this.#controller?.desiredSize ?? 64 * 1024);
  }

  #enqueue(text: Uint8Array): void {
    this.#controller?.enqueue(text);
  }

  #wants(session: string | null, type: string): boolean {
    if (this.filter.session !== undefined && this.filter.session !== session) return false;
    const { types } = this.filter;
    return (
      types.length === 0 ||
      types.some(
        (wanted) => wanted === type || (wanted.endsWith(".*") && type.startsWith(wanted.slice(0, -1))),
      )
    );
  }

  #forget(): void {
    this.#controller = undefined;
    this.#onDrained?.();
    this.#onEnd(this);
  }
}
