import { EventSourceParserStream } from "eventsource-parser/stream";
import { errorText } from "../../src/core/errors.ts";
import { eventually } from "../support/eventually.ts";
import type { ReceivedEvent } from "../support/segue.ts";
import type { MessageAnswer } from "./answers.ts";
import { HttpConnection } from "./http-connection.ts";

/** The port of the daemon that is known to be in force at this moment. */
export type Port = () => number;

const pauseMs = 4;

/** Posts numbered messages into one session, without a pause between two restarts, and sends none of them again. */
export class SteadyPoster {
  readonly session: string;
  /** Ids of what was answered 202, in the order in which it was posted. */
  readonly accepted: string[] = [];
  /** What went wrong: none is expected. */
  readonly failures: string[] = [];
  readonly #port: Port;
  readonly #isKept: boolean;
  #connection: HttpConnection | undefined;
  #isStopping = false;
  readonly #posting: Promise<void>;

  /** `isKept`: on a connection that is kept until the daemon closes it, else on a fresh one for each message. */
  constructor(session: string, port: Port, isKept: boolean) {
    this.session = session;
    this.#port = port;
    this.#isKept = isKept;
    this.#posting = this.#post();
  }

  /** Resolves when the last post has been answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#posting;
    this.#connection?.close();
  }

  /** What the message of this number (from 0) says. */
  readonly contentOf = (number: number): string => `${this.session} says number ${number}`;

  async #post(): Promise<void> {
    for (let number = 0; !this.#isStopping && this.failures.length === 0; number++) {
      const port = this.#port();
      try {
        this.accepted.push(await this.#postOne(port, this.contentOf(number)));
      } catch (thrown) {
        this.failures.push(`${this.contentOf(number)} at port ${port}: ${errorText(thrown)}`);
      }
      await Bun.sleep(pauseMs);
    }
  }

  async #postOne(port: number, content: string): Promise<string> {
    if (!this.#connection || this.#connection.isClosed) this.#connection = await HttpConnection.open(port);
    const path = `/api/sessions/${this.session}/messages`;
    const answer = await this.#connection.send({ method: "POST", path, body: JSON.stringify({ content }) });
    if (!this.#isKept) this.#connection.close();
    if (answer.status !== 202) throw new Error(`answered ${answer.status}: ${answer.body}`);
    const message: MessageAnswer = JSON.parse(answer.body);
    return message.id;
  }
}

/** Reads events and, whenever its stream ends, comes back with the id it saw last. */
export class ResumingReader {
  /** Those with an id. */
  readonly events: ReceivedEvent[] = [];
  /** How often its stream has ended. */
  ends = 0;
  /** Requests that were not answered by a stream: none is expected. */
  readonly failures: string[] = [];
  readonly #port: Port;
  readonly #query: string;
  readonly #abort = new AbortController();
  readonly #reading: Promise<void>;

  /** From the first event that is kept; `query` such as `session=a`. */
  constructor(port: Port, query = "") {
    this.#port = port;
    this.#query = query;
    this.#reading = this.#read();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#reading;
  }

  async #read(): Promise<void> {
    while (!this.#abort.signal.aborted && this.failures.length === 0) {
      const port = this.#port();
      const lastId = this.events.at(-1)?.id ?? 0;
      const response = await fetch(`http://127.0.0.1:${port}/api/events?after=0&${this.#query}`, {
        headers: { "Last-Event-ID": String(lastId) },
        signal: this.#abort.signal,
      }).catch((thrown: unknown) => errorText(thrown));
      if (this.#abort.signal.aborted) return;
      if (typeof response === "string" || !response.ok || !response.body) {
        this.failures.push(
          `events at port ${port}: ${typeof response === "string" ? response : response.status}`,
        );
        return;
      }
      // A stream may be cut in the middle of an event; what was read of it does not count.
      await this.#take(response.body).catch(() => undefined);
      this.ends += 1;
    }
  }

  async #take(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const parsed = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { id, event: type = "message", data } of parsed)
      if (id !== undefined) this.events.push({ id: Number(id), type, data: JSON.parse(data) });
      else if (type === "events.gap") this.failures.push(`a gap: ${data}`);
  }
}

/** Posters on kept and on fresh connections, a reader of everything and one of a session. */
export class Traffic {
  readonly posters: readonly SteadyPoster[];
  readonly all: ResumingReader;
  readonly ofOne: ResumingReader;

  constructor(port: Port) {
    const names = ["kept-one", "kept-two", "fresh-one", "fresh-two"];
    this.posters = names.map((name) => new SteadyPoster(name, port, name.startsWith("kept")));
    this.all = new ResumingReader(port);
    this.ofOne = new ResumingReader(port, "session=kept-one");
  }

  /** Messages that were accepted. */
  get total(): number {
    return this.posters.reduce((sum, { accepted }) => sum + accepted.length, 0);
  }

  failures(): string[] {
    return [...this.posters, this.all, this.ofOne].flatMap((part) => part.failures);
  }

  /** Resolves when every poster has got on, and readers read; also where something has failed. */
  async flows(): Promise<void> {
    const counts = (): number[] => [
      ...this.posters.map(({ accepted }) => accepted.length),
      this.all.events.length,
      this.ofOne.events.length,
    ];
    const before = counts();
    const isOn = (): boolean => counts().every((count, at) => count > (before[at] ?? 0) + 5);
    await eventually("posts go on", () => this.failures().length > 0 || isOn());
  }

  /** Ends the posting, and resolves when the end of every message was read; also where something has failed. */
  async ends(): Promise<void> {
    await Promise.all(this.posters.map((poster) => poster.stop()));
    const done = (): number => this.all.events.filter(({ type }) => type === "message.done").length;
    await eventually("every message has ended", () => this.failures().length > 0 || done() >= this.total);
  }

  /** Ends the reading too. */
  async stop(): Promise<void> {
    await Promise.all([this.all.stop(), this.ofOne.stop()]);
  }
}
