import { connectionFault } from "./connection.ts";
import { classify, type Verdict } from "./failure.ts";
import type { Failure } from "./provider.ts";
import { basicCredentials, type Redact } from "./redaction.ts";
import { retryAfterMs } from "./retry-after.ts";
import { errorInBody, errorInEvent, type VendorError } from "./vendor-error.ts";

/** So much of an answer that is no stream is read. */
const bodyBytes = 65_536;
/** So much of what a vendor says is told. */
const messageCharacters = 500;

/** The headers that the libraries put a key into. */
const keyHeaders = ["authorization", "x-api-key", "x-goog-api-key"];

interface ExchangeOptions {
  /** Where the call goes, as it may be shown. */
  place: string;
  hasKey: boolean;
  userInfo: string | undefined;
  redact: Redact;
  now: () => number;
  onActivity: () => void;
}

type Fetch = (input: Parameters<typeof fetch>[0], init?: RequestInit) => Promise<Response>;

/**
 * The HTTP side of one turn. It hands the library a `fetch` of which it sees everything: every byte that arrives
 * is activity, and the first thing that goes wrong is kept, classified, before the library gives it another shape.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  #failure: Failure | undefined;
  /** The beginning of a body that does not say that it is an event stream. */
  #oddBody = "";

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** The first thing that went wrong. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** One request, never redirected: a key goes only to the host it was set for. Rejects for an answer that is no success. */
  readonly fetch: Fetch = async (input, init) => {
    const response = await this.#send(input, init);
    this.#options.onActivity();
    if (!response.ok) {
      this.#noteAnswer(response, await this.#readStart(response));
      throw new Error(this.#failure?.message);
    }
    return this.#watchedResponse(response);
  };

  /** Looks at one event of the stream as it came; the answer is what went wrong, if anything did. */
  noteEvent(event: unknown): Failure | undefined {
    const error = errorInEvent(event);
    if (error !== undefined) this.#noteError(error);
    return this.#failure;
  }

  /** What went wrong where the library gave up: what was seen, else what it says. Never throws. */
  failureOf(thrown: unknown): Failure {
    if (this.#failure !== undefined) return this.#failure;
    const error = errorTold(thrown) ?? this.#errorInOddBody();
    if (error !== undefined) return this.#noteError(error);
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return this.#note({ kind: "overloaded" }, `answer of ${this.#options.place} could not be read`, text);
  }

  /** The failure of a stream that ended, but not as a reply ends. */
  unfinished(how: string): Failure {
    if (this.#failure !== undefined) return this.#failure;
    const error = this.#errorInOddBody();
    if (error !== undefined) return this.#noteError(error);
    return this.#note(
      { kind: "overloaded" },
      `the stream from ${this.#options.place} had no proper end`,
      how,
    );
  }

  async #send(input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> {
    // Bun's own limit of silence is off: the caller has one, which counts from `onActivity`.
    const unlimited: RequestInit & { timeout: false } = { ...init, timeout: false };
    try {
      return await fetch(input, { ...unlimited, headers: this.#headers(init.headers), redirect: "manual" });
    } catch (thrown) {
      this.#noteFault(thrown);
      throw thrown;
    }
  }

  #headers(from: RequestInit["headers"]): Headers {
    const headers = new Headers(from);
    if (this.#options.hasKey) return headers;
    for (const name of keyHeaders) headers.delete(name);
    if (this.#options.userInfo !== undefined) {
      headers.set("authorization", `Basic ${basicCredentials(this.#options.userInfo)}`);
    }
    return headers;
  }

  #watchedResponse(response: Response): Response {
    const { status, statusText, headers } = response;
    const isStream = headers.get("content-type")?.includes("text/event-stream") ?? false;
    const decoder = new TextDecoder();
    const body = this.#watched(response, (bytes) => {
      if (isStream || this.#oddBody.length >= bodyBytes) return;
      this.#oddBody += decoder.decode(bytes, { stream: true });
    });
    return new Response(body, { status, statusText, headers });
  }

  /** The body as it comes; every piece is activity, a cut is kept. */
  #watched(
    response: Response,
    onBytes: (bytes: Uint8Array) => void = () => undefined,
  ): ReadableStream<Uint8Array> {
    const reader = (response.body ?? new Blob([]).stream()).getReader();
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          this.#options.onActivity();
          onBytes(value);
          controller.enqueue(value);
        } catch (thrown) {
          this.#noteFault(thrown);
          controller.error(thrown);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }

  /** The beginning of a body; where it is cut, what came before: the status alone says enough. */
  async #readStart(response: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    try {
      for await (const bytes of response.body ?? []) {
        this.#options.onActivity();
        text += decoder.decode(bytes, { stream: true });
        if (text.length >= bodyBytes) break;
      }
    } catch {
      // What was read stands.
    }
    return text;
  }

  /** An error that came with a status of success, and not as a stream. */
  #errorInOddBody(): VendorError | undefined {
    const body = this.#oddBody.trim();
    const error = /^[[{]/.test(body) ? errorInBody(body) : undefined;
    return error?.message === "" ? undefined : error;
  }

  #noteAnswer(response: Response, body: string): void {
    const error = errorInBody(body);
    const verdict = classify(response.status, error);
    const wait = retryAfterMs(response.headers.get("retry-after"), this.#options.now());
    const said = redirection(response) ?? error?.message ?? response.statusText;
    this.#note(verdict, `${response.status} from ${this.#options.place}`, said, wait);
  }

  #noteError(error: VendorError): Failure {
    const verdict = classify(undefined, error);
    const code = verdict.status ?? "an error";
    return this.#note(verdict, `${code} in the answer of ${this.#options.place}`, error.message);
  }

  #noteFault(thrown: unknown): void {
    const { kind, text } = connectionFault(thrown);
    const what =
      kind === "unreachable"
        ? `${this.#options.place} cannot be reached (check baseUrl and that its server runs)`
        : `call of ${this.#options.place} broke off`;
    this.#note({ kind }, what, text);
  }

  #note(verdict: Verdict, what: string, said: string, wait?: number): Failure {
    const told = shorten(this.#options.redact(said));
    this.#failure ??= {
      ...verdict,
      message: told === "" ? what : `${what}: ${told}`,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    };
    return this.#failure;
  }
}

/** The error that a library read from the stream before it handed the stream out, in the body it tells. */
function errorTold(thrown: unknown): VendorError | undefined {
  if (!(thrown instanceof Error) || !("responseBody" in thrown)) return undefined;
  return typeof thrown.responseBody === "string" ? errorInBody(thrown.responseBody) : undefined;
}

function redirection(response: Response): string | undefined {
  if (response.status < 300 || response.status > 399) return undefined;
  const location = response.headers.get("location");
  const target =
    location === null || !URL.canParse(location, response.url) ? null : new URL(location, response.url);
  const where = target === null ? "another address" : target.origin + target.pathname;
  return `it redirects to ${where}; redirects are not followed: set baseUrl to where the API is`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= messageCharacters ? line : `${line.slice(0, messageCharacters).toWellFormed()}…`;
}
