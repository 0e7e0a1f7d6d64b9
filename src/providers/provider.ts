import type { FailureKind, Usage } from "../core/events.ts";

/** The kinds of providers: how each is spoken to (contract section 4). */
export const providerKinds = ["claude", "gemini", "openai", "command", "echo"] as const;
/** One of `providerKinds`. */
export type ProviderKind = (typeof providerKinds)[number];

/** One exchange of a session's present context, in neutral words: every kind can take up what another began. */
export interface ContextTurn {
  role: "user" | "assistant";
  content: string;
}

/** How a provider is reached: the part of a binding that providers need. */
export interface ProviderConfig {
  kind: ProviderKind;
  /**
   * `claude`, `gemini`, `openai`: the base URL as the user wrote it, or the vendor's own. Never with user-info
   * (that stands in `userInfo`). `command`, `echo`: the kind's name.
   */
  endpoint: string;
  /** `user:password` of the base URL, percent-decoded; sent as HTTP Basic where no key is sent. */
  userInfo: string | undefined;
  key: string | undefined;
  model: string;
  maxOutputTokens: number;
  temperature: number | undefined;
  /** Kind `command`. */
  argv: readonly string[];
  /** Kind `echo`. */
  delayMs: number;
}

/** One call of a provider. */
export interface TurnRequest {
  session: string;
  /** System prompt; empty means none. */
  system: string;
  turns: readonly ContextTurn[];
  content: string;
  /** Aborts the call: the stream then ends soon, with anything or nothing; what it says is ignored. */
  signal: AbortSignal;
  /** To be called whenever anything at all arrives (a byte is enough): the silence limit counts from the last. */
  onActivity: () => void;
}

/** Why a call failed, classified by the table of contract section 4. */
export interface Failure {
  kind: FailureKind;
  /** One or a few lines for a person; may hold what the vendor said. */
  message: string;
  status?: number;
  /** From Retry-After (RFC 9110: seconds or a date), in milliseconds from now. */
  retryAfterMs?: number;
}

/** What a call yields: text as it arrives, then exactly one `end` or `failed`, then nothing. */
export type TurnPart =
  | { type: "text"; text: string }
  /** Ended properly. `finish` is `stop`, `length`, `content_filter` or the vendor's own word. */
  | { type: "end"; finish: string; usage: Usage | null }
  | { type: "failed"; failure: Failure };

/**
 * One way of taking turns. It never throws: what goes wrong is a `failed` part. It makes one call a turn and
 * never repeats it: retries are decided between turns, so that an edit can overtake them.
 */
export interface Provider {
  call(request: TurnRequest): AsyncIterable<TurnPart>;
}

/** Makes the provider of a configuration. May load code (hence async); never makes a call, never throws for values that passed the schema. */
export type CreateProvider = (config: ProviderConfig) => Promise<Provider>;
