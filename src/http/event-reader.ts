import { type Clock, isoTime } from "../core/clock.ts";
import type { Store } from "../store/store.ts";
import { type EventBatch, type EventFilter, isWanted } from "./event-batch.ts";
import { EventPages } from "./event-pages.ts";

/** Who has not taken this much, and takes nothing, is too slow: it is told the gap, and closed. */
const mostUntakenBytes = 4 * 1024 * 1024;
/** Pieces of replies may come faster than anybody can take them; who takes nothing has this long. */
const patienceMs = 2000;
/** Who is behind is sent more once it holds no more than this. */
const drainedBytes = 8 * 1024;

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
 * In any phase it ends where more was committed since it last took something than a reader may leave untaken, and where
 * that much of replies came and it took nothing for a while.
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
  #meanwhile: EventBatch[] = [];
  /** Bytes of events that passed it by since it last took something. */
  #passedBytes = 0;
  /** Bytes of pieces of replies that it did without since then. */
  #missedBytes = 0;
  #tookAt: number;
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
    this.#tookAt = parts.clock.now();
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
          this.#tookSome();
          this.#onDrained?.();
        },
        cancel: () => this.#forget(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: drainedBytes }),
    );
  }

  /** Something was committed. */
  offer(batch: EventBatch): void {
    if (this.#isTooSlow()) return this.#leaveBehind(batch.events.at(-1)?.id ?? 0);
    if (this.#phase === "joining") this.#meanwhile.push(batch);
    else if (this.#phase === "behind") this.#passedBytes += batch.bytes;
    else this.#offerLive(batch);
  }

  /** A piece of a reply; those who are behind or slow do without. */
  offerDelta(session: string, type: string, text: Uint8Array): void {
    if (!isWanted(this.filter, session, type)) return;
    this.#look();
    // 1. Half of the share stays for what is stored.
    if (this.#phase === "live" && this.#queuedBytes + text.byteLength <= this.#shareBytes() / 2)
      return this.#enqueue(text);
    this.#missedBytes += text.byteLength;
    this.#onDropped(1);
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

  #offerLive(batch: EventBatch): void {
    if (this.#queuedBytes + batch.bytes <= this.#shareBytes()) return this.#send(batch);
    this.#phase = "behind";
    this.#passedBytes += batch.bytes;
    void this.#catchUp().catch(() => this.end());
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
      if ((await this.#sendPage(page)) && page.size < EventPages.size) break;
      if (!this.#controller) return;
      this.#phase = "behind";
      this.#meanwhile = [];
    }
    this.#phase = "live";
    const meanwhile = this.#meanwhile;
    this.#meanwhile = [];
    for (const batch of meanwhile) this.#send(batch);
  }

  /** Whether it was sent in one go; else more may have been committed than was kept for it. */
  async #sendPage(page: EventBatch): Promise<boolean> {
    let sent = 0;
    for (;;) {
      const end = page.endWithin(this.#shareBytes() - this.#queuedBytes, sent);
      this.#send(page, sent, end);
      if (end === page.size) return sent === 0;
      sent = end;
      this.#phase = "behind";
      this.#meanwhile = [];
      await this.#drained();
      if (!this.#controller) return false;
    }
  }

  /** Sends what it wants and has not seen, in one piece: each piece is a write to its connection. */
  #send(batch: EventBatch, from = 0, end = batch.size): void {
    const start = Math.max(from, batch.indexAfter(this.#lastId));
    const last = batch.events[end - 1];
    if (!last || start >= end) return;
    this.#lastId = last.id;
    const text = batch.text(start, end, this.filter);
    if (text.byteLength > 0) this.#enqueue(text);
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
    this.#look();
    if (this.#queuedBytes + this.#passedBytes > mostUntakenBytes) return true;
    return this.#missedBytes > mostUntakenBytes && this.#clock.now() - this.#tookAt > patienceMs;
  }

  /** Whether it took something is seen by what it holds; who holds next to nothing has nothing to take. */
  #look(): void {
    const queued = this.#queuedBytes;
    if (queued < this.#queuedBefore || queued < drainedBytes) this.#tookSome();
    this.#queuedBefore = queued;
  }

  #tookSome(): void {
    this.#passedBytes = 0;
    this.#missedBytes = 0;
    this.#tookAt = this.#clock.now();
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

  #forget(): void {
    this.#controller = undefined;
    this.#onDrained?.();
    this.#onEnd(this);
  }
}
