import { createParser } from "eventsource-parser";
import type { NewEvent } from "../../src/core/events.ts";
import type { Asked } from "./asking.ts";
import type { DaemonApp } from "./daemon-app.ts";

/** An event as a reader gets it; `id` is undefined for those that are not replayed. */
export interface ReadEvent {
  id: number | undefined;
  type: string;
  data: Record<string, unknown>;
}

/** A client of `GET /api/events` that reads as fast as it can. */
export class EventReader {
  readonly events: ReadEvent[] = [];
  /** The stream as it came. */
  text = "";
  hasEnded = false;
  readonly #stream: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(stream: ReadableStreamDefaultReader<Uint8Array>) {
    this.#stream = stream;
  }

  /** Opens the stream, and lets it catch up. */
  static async open(app: DaemonApp, query = "", asked: Asked = {}): Promise<EventReader> {
    const response = await app.ask(`/api/events${query}`, asked);
    if (response.status !== 200 || !response.body) throw new Error(`the stream answered ${response.status}`);
    const reader = new EventReader(response.body.getReader());
    void reader.#read();
    await app.clock.settle();
    return reader;
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  get ids(): (number | undefined)[] {
    return this.events.map(({ id }) => id);
  }

  /** Goes away, as a client that closes its connection does. */
  async leave(): Promise<void> {
    await this.#stream.cancel();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent: ({ id, event, data }) =>
        this.events.push({
          id: id === undefined ? undefined : Number(id),
          type: event ?? "message",
          data: JSON.parse(data),
        }),
    });
    for (let read = await this.#stream.read(); !read.done; read = await this.#stream.read()) {
      const text = decoder.decode(read.value, { stream: true });
      this.text += text;
      parser.feed(text);
    }
    this.hasEnded = true;
  }
}

/** Stores events that tell of nothing, `count` of them, each with about `bytes` of data. */
export async function appendEvents(app: DaemonApp, count: number, bytes = 0): Promise<void> {
  const event: NewEvent = { type: "session.recovered", data: { session: "a", cause: "x".repeat(bytes) } };
  await app.services.store.events.append(
    Array.from({ length: count }, () => event),
    app.clock.now(),
  );
}

/** The id of the newest event. */
export async function newestEvent(app: DaemonApp): Promise<number> {
  return (await app.services.store.events.bounds()).newest;
}
