import { type Signal, signal } from "@preact/signals";
import type { Problem } from "../../core/errors.ts";

/** What a refusal says (RFC 9457), as the daemon sends it. */
interface Refusal {
  title?: string;
  detail?: string;
  code?: string;
  errors?: Problem[];
}

/** The daemon refused, or did not answer (`status` 0, code `not_reachable`). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problems: readonly Problem[];

  constructor(status: number, { title, detail, code, errors }: Refusal) {
    super(detail ?? title ?? `the daemon answered ${status}`);
    this.status = status;
    this.code = code ?? "internal";
    this.problems = errors ?? [];
  }
}

/** What the daemon answered, and the tag of its state where it has one. */
export interface Answered<T> {
  value: T;
  etag: string | null;
}

/** What a request carries; `body` is sent as JSON. */
export interface Sending {
  body?: unknown;
  headers?: Record<string, string>;
}

/**
 * Speaks to the daemon the page came from. Shapes are taken as they are declared: page and daemon are of one build, and
 * a page that meets another version asks to be loaded anew. Whatever is not 2xx is thrown as an `ApiError`.
 *
 * A token lives in this object alone: closing or reloading the tab forgets it.
 */
export class Api {
  /** Whether the daemon wants a token, or another than it was given. */
  readonly isTokenWanted: Signal<boolean> = signal(false);
  #token: string | undefined;

  /** Asks for a path such as `api/stats`, relative to the page. */
  async get<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
    const response = await this.#request(path, { headers });
    return response.json();
  }

  /** Asks for a path and answers with the tag of what it got too. */
  async read<T>(path: string): Promise<Answered<T>> {
    const response = await this.#request(path, {});
    return { value: await response.json(), etag: response.headers.get("ETag") };
  }

  /** Sends to a path; null where the answer has no body. */
  async send<T>(
    method: "POST" | "PATCH" | "PUT" | "DELETE",
    path: string,
    sending: Sending = {},
  ): Promise<T> {
    const { body, headers } = sending;
    const response = await this.#request(path, {
      method,
      headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return JSON.parse(text === "" ? "null" : text);
  }

  /** Opens an event stream, after the event `lastId` where one is given. */
  async open(
    path: string,
    lastId: string | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const headers = { Accept: "text/event-stream", ...(lastId !== undefined && { "Last-Event-ID": lastId }) };
    const { body } = await this.#request(path, { headers, signal });
    if (!body) throw new ApiError(0, { code: "not_reachable", detail: "the event stream is empty" });
    return body;
  }

  /** Tries a token and keeps it where the daemon takes it; whether it did. */
  async logIn(token: string): Promise<boolean> {
    const before = this.#token;
    this.#token = token;
    try {
      await this.get("api/daemon");
      this.isTokenWanted.value = false;
      return true;
    } catch (thrown) {
      this.#token = before;
      if (thrown instanceof ApiError && thrown.status === 401) return false;
      throw thrown;
    }
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set("Authorization", `Bearer ${this.#token}`);
    const response = await answered(path, { ...init, headers, cache: "no-store" });
    if (response.ok) return response;
    if (response.status === 401) this.isTokenWanted.value = true;
    throw new ApiError(response.status, await refusal(response));
  }
}

async function answered(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    throw new ApiError(0, { code: "not_reachable", detail: "the daemon does not answer" });
  }
}

async function refusal(response: Response): Promise<Refusal> {
  try {
    return await response.json();
  } catch {
    return { detail: `the daemon answered ${response.status}` };
  }
}
