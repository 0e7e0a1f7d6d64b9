import { EventSourceParserStream } from "eventsource-parser/stream";
import * as v from "valibot";
import { errorText, isErrorCode, SegueError } from "../core/errors.ts";
import { fetchOnSocket } from "#platform";
import { daemonAnswer, problemAnswer } from "./answers.ts";
import { daemonAddress, type AddressContext, type DaemonAddress } from "./daemon-address.ts";
import { isOfSettings } from "./failure.ts";

/** What the daemon answered: the text as it came, and what it says, checked. */
export interface Answer<T> {
  status: number;
  text: string;
  value: T;
}

/** An event of the daemon; `id` is undefined for those that are not kept. `data` is JSON text. */
export interface StreamedEvent {
  id: string | undefined;
  type: string;
  data: string;
}

/** How events are read; `after` is the id of the last event already known. */
interface EventOptions {
  after?: string;
  signal?: AbortSignal;
  onOpen?: () => void;
}

/** What a request carries; `body` is sent as JSON, `lines` as NDJSON. */
interface RequestParts {
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  body?: unknown;
  lines?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** `application/problem+json` as the daemon writes it. */
const errorAnswer = v.object({
  code: v.string(),
  detail: v.string(),
  errors: v.optional(v.array(problemAnswer)),
});

/**
 * Speaks to a running daemon. Every answer that is not 2xx is thrown as the `SegueError` that the daemon meant;
 * where none answers, `not_reachable`.
 */
export class DaemonClient {
  readonly #address: DaemonAddress;

  constructor(address: DaemonAddress) {
    this.#address = address;
  }

  /** The daemon that flags, environment and data folder name. Asks nothing of it yet. */
  static async of(context: AddressContext): Promise<DaemonClient> {
    return new DaemonClient(await daemonAddress(context));
  }

  /** Asks for `path` and checks that the answer has the shape of `schema`. */
  async get<T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<Answer<T>> {
    return this.#read(await this.#request(path, {}), schema);
  }

  /** Posts to `path` and checks that the answer has the shape of `schema`. */
  async post<T>(
    path: string,
    schema: v.GenericSchema<unknown, T>,
    parts: Pick<RequestParts, "body" | "lines" | "headers"> = {},
  ): Promise<Answer<T>> {
    return this.send("POST", path, schema, parts);
  }

  /** Sends to `path` and checks that the answer has the shape of `schema`. */
  async send<T>(
    method: "POST" | "PATCH" | "PUT",
    path: string,
    schema: v.GenericSchema<unknown, T>,
    parts: Pick<RequestParts, "body" | "lines" | "headers"> = {},
  ): Promise<Answer<T>> {
    return this.#read(await this.#request(path, { ...parts, method }), schema);
  }

  /** Posts to `path` and answers with the text as it arrives. */
  async *download(path: string): AsyncGenerator<string, void, void> {
    const response = await this.#request(path, { method: "POST" });
    try {
      for await (const part of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()))
        yield part;
    } catch (thrown) {
      throw this.#broken(thrown);
    }
  }

  /** Deletes what is at `path`. */
  async delete(path: string): Promise<void> {
    const response = await this.#request(path, { method: "DELETE" });
    await response.body?.cancel();
  }

  /** Whether a daemon answers at all. */
  async isReachable(): Promise<boolean> {
    try {
      const response = await this.#send("/healthz", {});
      await response.body?.cancel();
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Events as they come, from `path` such as `/api/events?after=0`; ends when the daemon ends it or on `signal`.
   * `onOpen` is called once the daemon has taken the stream: nothing that happens from then on is missed.
   */
  async *events(path: string, options: EventOptions): AsyncGenerator<StreamedEvent> {
    const response = await this.#request(path, {
      headers: {
        Accept: "text/event-stream",
        ...(options.after === undefined ? {} : { "Last-Event-ID": options.after }),
      },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    options.onOpen?.();
    try {
      const parsed = (response.body ?? new ReadableStream())
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream());
      for await (const event of parsed) {
        yield { id: event.id, type: event.event ?? "message", data: event.data };
      }
    } catch (thrown) {
      if (options.signal?.aborted) return;
      throw this.#broken(thrown);
    }
  }

  /** The daemon's place, for people. */
  get #place(): string {
    return this.#address.kind === "socket" ? this.#address.path : this.#address.base;
  }

  async #request(path: string, parts: RequestParts): Promise<Response> {
    const response = await this.#reach(path, parts);
    if (!response.ok) throw await this.#errorOf(response);
    return response;
  }

  async #reach(path: string, parts: RequestParts): Promise<Response> {
    try {
      return await this.#send(path, parts);
    } catch (thrown) {
      throw this.#notReachable(thrown);
    }
  }

  #send(path: string, parts: RequestParts): Promise<Response> {
    const init: RequestInit = {
      method: parts.method ?? "GET",
      headers: {
        ...(parts.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(parts.lines === undefined ? {} : { "Content-Type": "application/x-ndjson" }),
        ...(this.#address.kind === "url" && this.#address.token
          ? { Authorization: `Bearer ${this.#address.token}` }
          : {}),
        ...parts.headers,
      },
      redirect: "error",
      ...(parts.body === undefined ? {} : { body: JSON.stringify(parts.body) }),
      ...(parts.lines === undefined ? {} : { body: parts.lines }),
      ...(parts.signal ? { signal: parts.signal } : {}),
    };
    return this.#address.kind === "socket"
      ? fetchOnSocket(this.#address.path, path, init)
      : fetch(this.#address.base + path, init);
  }

  #notReachable(thrown: unknown): SegueError {
    const more = {
      cause: thrown,
      hint:
        this.#address.kind === "socket"
          ? "Start one with `segue serve`, or name its data folder with --data or its address with --url."
          : "Start it with `segue serve`, or check the address given with --url.",
    };
    return new SegueError("not_reachable", `No daemon answers at ${this.#place}.`, more);
  }

  async #read<T>(response: Response, schema: v.GenericSchema<unknown, T>): Promise<Answer<T>> {
    const text = await this.#textOf(response);
    const checked = v.safeParse(schema, parsedOrUndefined(text));
    if (!checked.success) throw this.#notSegue(response.status);
    return { status: response.status, text, value: checked.output };
  }

  async #textOf(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (thrown) {
      throw this.#broken(thrown);
    }
  }

  #broken(thrown: unknown): SegueError {
    return new SegueError("not_reachable", `The connection to the daemon broke (${errorText(thrown)}).`, {
      cause: thrown,
    });
  }

  async #errorOf(response: Response): Promise<SegueError> {
    const checked = v.safeParse(errorAnswer, parsedOrUndefined(await this.#textOf(response)));
    if (!checked.success) return this.#notSegue(response.status);
    const { code, detail, errors } = checked.output;
    const known = isErrorCode(code) ? code : "internal";
    if (!errors) return new SegueError(known, detail);
    const file = isOfSettings(known) ? await this.#settingsPath() : undefined;
    return new SegueError(known, detail, { problems: errors, ...(file === undefined ? {} : { file }) });
  }

  /** Where the daemon's own settings are: seldom where this command's are when it was named by its data folder. */
  async #settingsPath(): Promise<string | undefined> {
    try {
      const response = await this.#send("/api/daemon", {});
      const checked = v.safeParse(daemonAnswer, parsedOrUndefined(await response.text()));
      return checked.success ? checked.output.settingsPath : undefined;
    } catch {
      return undefined;
    }
  }

  #notSegue(status: number): SegueError {
    return new SegueError(
      "internal",
      `What answers at ${this.#place} (status ${status}) does not speak like Segue.`,
      {
        hint: "Check --url, and that both are of the same version (`segue version`).",
      },
    );
  }
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
