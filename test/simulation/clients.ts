import { SegueError } from "../../src/core/errors.ts";
import { Breach, type World } from "./world.ts";
import type { Exchange } from "./network.ts";
import type { SeenEvent } from "./history.ts";
import { EventParser } from "./sse.ts";

/** What a client asks for. */
export interface Asking {
  method: string;
  path: string;
  headers?: Record<string, string>;
  /** An object goes as JSON, a text as it is. */
  body?: unknown;
  via?: "tcp" | "socket";
  /** The client goes away after so long. */
  leavesAfterMs?: number;
}

/** What came back. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** Headers that an answer is remembered with. */
const remembered = [
  "content-type",
  "etag",
  "location",
  "retry-after",
  "idempotency-replayed",
  "preference-applied",
  "connection",
] as const;

/** Whoever uses a daemon from outside. */
export class Clients {
  /** Readers of events that were opened and not given up. */
  readonly readers = new Set<EventReader>();
  readonly #world: World;
  #lastRequest = 0;
  #lastReader = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * Asks a daemon, if there is one to ask. `take` gets the answer, should one come; the answer of this is whether it
   * was asked.
   */
  ask(asking: Asking, take: (answer: Answer) => void = () => {}): boolean {
    const world = this.#world;
    const request = ++this.#lastRequest;
    const leave = new AbortController();
    const sent = world.network.send(
      asking.via ?? "tcp",
      (base) => requestOf(base, asking, leave.signal),
      () =>
        world.see({ kind: "unanswered", request, why: world.process?.isDead === false ? "cut" : "crash" }),
      () => this.#seeRequest(request, asking),
    );
    if (!sent) return false;
    const { exchange } = sent;
    if (asking.leavesAfterMs !== undefined)
      world.scheduler.after(asking.leavesAfterMs, () => {
        if (exchange.isOver) return;
        exchange.end();
        world.see({ kind: "unanswered", request, why: "client left" });
        leave.abort();
      });
    this.#receive(request, sent, take).catch((thrown: unknown) => {
      if (sent.process.isDead) return;
      // An answer that is streamed is cut where something goes wrong in the middle of it.
      if (thrown instanceof SegueError) exchange.cut();
      else world.breakWith(new Breach("no bug is met", String(thrown)));
    });
    return true;
  }

  /** Messages that were told to have failed. */
  failed(): string[] {
    return this.#world.history.flatMap((seen) =>
      seen.kind === "event" && seen.type === "message.failed" ? [seen.data.message] : [],
    );
  }

  /** Reads something now, without anybody seeing it; undefined where it cannot be read. */
  async look(path: string): Promise<string | undefined> {
    const sent = this.#world.network.send(
      "socket",
      (base) => new Request(base + path),
      () => {},
    );
    if (!sent) return undefined;
    const response = await sent.response;
    const body = response.ok ? await response.text() : undefined;
    sent.exchange.end();
    return body;
  }

  /** Opens a stream of events that is opened again whenever it ends. */
  follow(query: string, after: number | null, via: "tcp" | "socket" = "tcp"): void {
    const reader = new EventReader(++this.#lastReader, this.#world, { query, after, via });
    this.readers.add(reader);
    reader.open();
  }

  #seeRequest(request: number, { method, path, headers = {}, body }: Asking): void {
    const { process } = this.#world;
    this.#world.see({ kind: "request", request, boot: process?.boot ?? 0, method, path, headers, body });
  }

  async #receive(
    request: number,
    { exchange, response: coming }: { exchange: Exchange; response: Promise<Response> },
    take: (answer: Answer) => void,
  ): Promise<void> {
    const response = await coming;
    const text = await response.text();
    if (exchange.isOver) return;
    exchange.end();
    const headers: Record<string, string> = {};
    for (const name of remembered) {
      const value = response.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    const isJson = headers["content-type"]?.includes("json") === true;
    const body: unknown = text === "" ? undefined : isJson ? JSON.parse(text) : text;
    const answer = { status: response.status, headers, body };
    this.#world.see({ kind: "answer", request, ...answer });
    if (response.status === 500) this.#world.breakWith(new Breach("no bug is met", `answered 500: ${text}`));
    take(answer);
  }
}

function requestOf(base: string, { method, path, headers = {}, body }: Asking, signal: AbortSignal): Request {
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const all = new Headers(headers);
  all.set("Host", new URL(base).host);
  if (text !== undefined) {
    if (!all.has("Content-Type")) all.set("Content-Type", "application/json");
    all.set("Content-Length", String(Buffer.byteLength(text)));
  }
  return new Request(base + path, {
    method,
    headers: all,
    signal,
    ...(text !== undefined && { body: text }),
  });
}

/** How long a reader waits before it comes back (contract section 6: `retry: 1000`). */
const comeBackMs = 1000;

/** A reader of events: comes back with the id it saw last whenever its stream ends. */
export class EventReader {
  readonly #number: number;
  readonly #world: World;
  readonly #query: string;
  readonly #via: "tcp" | "socket";
  #after: number | null;
  #isOpen = false;

  constructor(
    number: number,
    world: World,
    { query, after, via }: { query: string; after: number | null; via: "tcp" | "socket" },
  ) {
    this.#number = number;
    this.#world = world;
    this.#query = query;
    this.#via = via;
    this.#after = after;
  }

  /** Opens the stream, now or as soon as somebody listens. */
  open(): void {
    if (this.#isOpen) return;
    const after = this.#after;
    const query = [...(after === null ? [] : [`after=${after}`]), ...(this.#query ? [this.#query] : [])];
    const sent = this.#world.network.send(
      this.#via,
      (base) =>
        new Request(`${base}/api/events?${query.join("&")}`, { headers: { Host: new URL(base).host } }),
      () => this.#ended(),
      () => {
        this.#isOpen = true;
        this.#world.see({ kind: "reader", reader: this.#number, phase: "opened", after, query: this.#query });
      },
    );
    if (!sent) return this.#comeBack();
    this.#read(sent).catch(() => this.#ended());
  }

  async #read({ exchange, response }: { exchange: Exchange; response: Promise<Response> }): Promise<void> {
    const { body, status } = await response;
    const parser = new EventParser();
    const decoder = new TextDecoder();
    const reader = status === 200 ? body?.getReader() : undefined;
    for (;;) {
      const piece = await reader?.read();
      if (exchange.isOver) return;
      if (!piece || piece.done) break;
      for (const { id, type, data } of parser.take(decoder.decode(piece.value, { stream: true })))
        this.#take(id, type, data);
    }
    exchange.end();
    this.#ended();
  }

  #take(id: number | null, type: string, data: string): void {
    const reader = this.#number;
    if (type === "events.gap") {
      const { from, to }: { from: number; to: number } = JSON.parse(data);
      this.#world.see({ kind: "gap", reader, from, to });
      return;
    }
    if (id !== null) this.#after = id;
    const event: SeenEvent = JSON.parse(`{"type":${JSON.stringify(type)},"data":${data}}`);
    this.#world.see({ kind: "event", reader, id, ...event });
  }

  #ended(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#world.see({
      kind: "reader",
      reader: this.#number,
      phase: "ended",
      after: this.#after,
      query: this.#query,
    });
    this.#comeBack();
  }

  #comeBack(): void {
    this.#world.scheduler.after(comeBackMs, () => this.open());
  }
}
