import { type Clock, isoTime } from "../core/clock.ts";
import type { Store } from "../store/store.ts";
import { EventPages, type WrittenEvent } from "./event-pages.ts";

/** Which events a reader wants; empty lists nothing out. */
export interface EventFilter {
  session: string | undefined;
  /** Type names, or `message.*` for all of a family; none means all. */
  types: readonly string[];
}

/** Who has not taken this much, and takes nothing, is too slow: it is told the gap, and closed. */
const mostUntakenBytes = 4 * 1024 * 1024;
/** Who is behind is sent more once it holds no more than this. */
const drainedBytes = 16 * 1024;

const encoder = new TextEncoder();

/** An event that is not stored: it has no id, and is not told again. */
export function transientText(type: string, data: object): Uint8Array {
  return encoder.encode(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * One reader.
 *
 * - `behind`: what it has not seen is in the store, and is read from there as fast as it takes it. What is committed
 *   passes it by: it will find it there too, so that nothing is piled up for a reader that does not read.
 * - `joining`: a page that may be the last one is being read; what is committed meanwhile is kept for it.
 * - `live`: it has caught up, and is sent what is committed, as long as that does not come to more than its share of
 *   the memory for all readers; else it is behind again. Ids rise: what it was sent from the store is not sent again.
 *
 * In any phase it ends where more was committed since it last took something than a reader may leave untaken.
 */
export class EventReader {
  readonly filter: EventFilter;
  readonly #store: Store;
  readonly #pages: EventPages;
  readonly #clock: Clock;
  readonly #shareBytes: () => number;
  readonly #onEnd: (reader: EventReader) => void;
  readonly #onDropped: (count: number) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** The highest id that was sent or passed over. */
  #lastId = 0;
  #phase: "behind" | "joining" | "live" = "behind";
  /** Committed while it was joining. */
  #meanwhile: WrittenEvent[] = [];
  /** Bytes of events that passed it by since it last took something. */
  #passedBytes = 0;
  #queuedBefore = 0;
  #onDrained: (() => void) | undefined;

  constructor(parts: {
    store: Store;
    pages: EventPages;
    clock: Clock;
    filter: EventFilter;
    /** How much it may hold at present. */
    shareBytes: () => number;
    onEnd: (reader: EventReader) => void;
    onDropped: (count: number) => void;
  }) {
    this.#store = parts.store;
    this.#pages = parts.pages;
    this.#clock = parts.clock;
    this.filter = parts.filter;
    this.#shareBytes = parts.shareBytes;
    this.#onEnd = parts.onEnd;
    this.#onDropped = parts.onDropped;
  }

  /** What it is sent; `after` as in `EventStreams.open`. */
  stream(after: number | null): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          this.#enqueue(encoder.encode("retry: 1000\n\n"));
          void this.#begin(after).catch(() => this.end());
        },
        pull: () => {
          this.#passedBytes = 0;
          this.#onDrained?.();
        },
        cancel: () => this.#forget(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: drainedBytes }),
    );
  }

  /** Something was committed, `bytes` in all. */
  offer(events: readonly WrittenEvent[], bytes: number): void {
    if (this.#isTooSlow()) return this.#leaveBehind(events.at(-1)?.event.id ?? 0);
    if (this.#phase === "joining") this.#meanwhile.push(...events);
    else if (this.#phase === "behind") this.#passedBytes += bytes;
    else this.#offerLive(events, bytes);
  }

  /** A piece of a reply; those who are behind or slow do without. */
  offerDelta(session: string, type: string, text: Uint8Array): void {
    if (!this.#wants(session, type)) return;
    const fits = this.#queuedBytes + text.byteLength <= this.#shareBytes();
    if (this.#phase === "live" && fits) this.#enqueue(text);
    else this.#onDropped(1);
  }

  /** A comment, which keeps the connection; not for those who do not take what they have. */
  beat(): void {
    if (this.#queuedBytes < drainedBytes) this.#enqueue(encoder.encode(": still here\n\n"));
  }

  /** Ends the stream; what it holds already may still be read. */
  end(): void {
    const controller = this.#controller;
    this.#forget();
    controller?.close();
  }

  #offerLive(events: readonly WrittenEvent[], bytes: number): void {
    if (this.#queuedBytes + bytes > this.#shareBytes()) {
      this.#phase = "behind";
      this.#passedBytes += bytes;
      void this.#catchUp().catch(() => this.end());
      return;
    }
    for (const written of events) this.#send(written);
  }

  async #begin(after: number | null): Promise<void> {
    const { oldest, newest } = await this.#store.events.bounds();
    this.#lastId = after === null ? newest : Math.min(after, newest);
    if (this.#lastId > 0 && this.#lastId + 1 < oldest) this.#tellGap(this.#lastId + 1, oldest - 1);
    await this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    for (;;) {
      await this.#drained();
      if (!this.#controller) return;
      this.#phase = "joining";
      const page = await this.#pages.after(this.#lastId);
      if ((await this.#sendPage(page)) && page.length < EventPages.size) break;
      if (!this.#controller) return;
      this.#phase = "behind";
      this.#meanwhile = [];
    }
    this.#phase = "live";
    const meanwhile = this.#meanwhile;
    this.#meanwhile = [];
    for (const written of meanwhile) this.#send(written);
  }

  /** Whether it was sent in one go; else more may have been committed than was kept for it. */
  async #sendPage(page: readonly WrittenEvent[]): Promise<boolean> {
    let isInOneGo = true;
    for (const written of page) {
      const held = this.#queuedBytes;
      if (held > 0 && held + written.text.byteLength > this.#shareBytes()) {
        isInOneGo = false;
        this.#phase = "behind";
        this.#meanwhile = [];
        await this.#drained();
        if (!this.#controller) return false;
      }
      this.#send(written);
    }
    return isInOneGo;
  }

  /** Sends what it wants and has not seen. */
  #send({ event, text }: WrittenEvent): void {
    if (event.id <= this.#lastId) return;
    this.#lastId = event.id;
    if (this.#wants(event.session, event.type)) this.#enqueue(text);
  }

  /** Resolves when the reader has taken what it was sent. */
  #drained(): Promise<void> {
    if (this.#queuedBytes < drainedBytes) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  /** Looked at before the next events: who was sent much at once has had the time to take some of it. */
  #isTooSlow(): boolean {
    const queued = this.#queuedBytes;
    if (queued < this.#queuedBefore) this.#passedBytes = 0;
    this.#queuedBefore = queued;
    return queued + this.#passedBytes > mostUntakenBytes;
  }

  #leaveBehind(newest: number): void {
    this.#tellGap(this.#lastId + 1, newest);
    this.#onDropped(newest - this.#lastId);
    this.end();
  }

  #tellGap(from: number, to: number): void {
    this.#enqueue(transientText("events.gap", { at: isoTime(this.#clock.now()), from, to }));
  }

  get #queuedBytes(): number {
    return drainedBytes - (this.#controller?.desiredSize ?? drainedBytes);
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
