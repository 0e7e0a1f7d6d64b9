import { createHash } from "node:crypto";
import { join } from "node:path";
import { projectFolder } from "./binary.ts";
import { cleanEnv, startChild, type Child, type Scope } from "./processes.ts";
import { makeFolder } from "./workspace.ts";

export interface AimockOptions {
  /** Stands in every reply, so that a reply tells which server gave it. */
  name: string;
  /** Time to the first token; by default none. */
  firstTokenMs?: number;
  /** By default as fast as it goes. */
  tokensPerSecond?: number;
  scope?: Scope;
}

/** A call as the server's responder saw it, in the order of arrival. Contexts of any length are told in full. */
export interface HeardCall {
  /** Milliseconds since the epoch. */
  at: number;
  model: string;
  system: string;
  /** Number of messages with the roles user and assistant. */
  turns: number;
  /** Digest (see `digestOf`) of the last message of the user. */
  digest: string;
  /** Digest (see `contextDigestOf`) of all that was said before it. */
  context: string;
}

/** One thing said in a conversation. */
export interface SaidTurn {
  role: "user" | "assistant";
  content: string;
}

/** An entry of the server's own journal, in the order of completion; a body over 64 KiB is not kept. */
export interface JournalEntry {
  timestamp: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  response: { status: number; interrupted?: boolean };
}

/** Which message a reply belongs to: the same for the same text, another for another. */
export function digestOf(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 20);
}

/** Which conversation a message came with: the same only for the same turns, word for word. */
export function contextDigestOf(turns: readonly SaidTurn[]): string {
  return digestOf(JSON.stringify(turns.map(({ role, content }) => [role, content])));
}

/** What the server `name` answers to `content`, word for word. */
export function replyOf(name: string, content: string): string {
  return `${name} has read ${digestOf(content)} and is done.`;
}

/**
 * Starts a server that speaks as OpenAI, Anthropic and Gemini do, on a free port of the loopback address and in a
 * process of its own: some of the state of the mock is global to its process, and journals must not mix.
 */
export async function startAimock({ scope = "test", ...options }: AimockOptions): Promise<Aimock> {
  const child = startChild({
    command: [process.execPath, join(import.meta.dir, "aimock-server.ts"), JSON.stringify(options)],
    cwd: projectFolder,
    env: cleanEnv(makeFolder("aimock", scope)),
    scope,
  });
  const found = await child.waitForOutput(/^listening on (?<url>\S+)$/m);
  return new Aimock(child, options.name, found.groups?.["url"] ?? "");
}

/** A running mock server. */
export class Aimock {
  readonly name: string;
  /** Without a path: what `baseUrl` of the kinds `claude`, `gemini` and `openai` may hold. */
  readonly url: string;
  readonly #child: Child;

  constructor(child: Child, name: string, url: string) {
    this.#child = child;
    this.name = name;
    this.url = url;
  }

  /** Every call so far that got a reply of its own. */
  calls(): Promise<HeardCall[]> {
    return this.#get("/heard/calls");
  }

  /** The journal of the server, failures and interrupted replies included. */
  journal(): Promise<JournalEntry[]> {
    return this.#get("/__aimock/journal");
  }

  /** The next call is answered with this status, once. */
  async failNext(
    status: number,
    body: { message?: string; type?: string; code?: string } = {},
  ): Promise<void> {
    const response = await fetch(`${this.url}/__aimock/error`, {
      method: "POST",
      body: JSON.stringify({ status, body }),
    });
    if (!response.ok) throw new Error(`${this.name} would not fail the next call: ${await response.text()}`);
  }

  /** From here on calls are heard, and wait for their answers until `release`. */
  async hold(): Promise<void> {
    await this.#get("/heard/hold");
  }

  /** Answers what is held, and what comes. */
  async release(): Promise<void> {
    await this.#get("/heard/release");
  }

  /** How many calls have been heard and are held. */
  held(): Promise<number> {
    return this.#get("/heard/held");
  }

  /** The same port refuses connections from here on. */
  async stop(): Promise<void> {
    await this.#child.kill();
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    if (!response.ok)
      throw new Error(`${this.name}: ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}
