import type { Clock } from "../core/clock.ts";
import { errorText } from "../core/errors.ts";
import type { Usage } from "../core/events.ts";
import type { ContextTurn, Failure, Provider, TurnPart } from "../providers/provider.ts";

/** What one turn asks and how long it may take. */
export interface TurnOrder {
  session: string;
  system: string;
  turns: readonly ContextTurn[];
  content: string;
  /** Aborted when nothing arrives for this long, the time to the first byte included. */
  timeoutMs: number;
  /** Aborted when it lasts longer. */
  maxDurationMs: number;
}

/** How a turn ended. */
export type TurnOutcome =
  | { kind: "done"; reply: string; finish: string; usage: Usage }
  | { kind: "failed"; failure: Failure }
  /** The generator's own abort: nothing is known, and nothing counts. */
  | { kind: "aborted" };

/** A reply longer than this (UTF-16 units) is a fault of the provider, not an answer. */
const longestReply = 32 * 1024 * 1024;
/** How long an aborted call may take to let go before it is left to itself; its late words are not listened to. */
const settleMs = 4000;

/**
 * Makes one call and sees it through: collects the reply, hands on each piece, watches both limits, estimates the
 * usage where none is reported. Where it is aborted before it began no call is made. Never throws.
 */
export async function runTurn(
  order: TurnOrder,
  parts: { provider: Provider; clock: Clock; signal: AbortSignal; onText: (text: string) => void },
): Promise<TurnOutcome> {
  if (parts.signal.aborted) return { kind: "aborted" };
  const watch = new TurnWatch(order, parts.clock, parts.signal);
  const settled = new AbortController();
  try {
    const call = collect(order, parts.provider, watch, parts.onText);
    const outcome = await Promise.race([call, watch.ended]);
    if (outcome !== undefined) return outcome;
    // 1. The call was aborted: wait until it has let go of its connection or its process, though not for ever.
    await Promise.race([call, parts.clock.sleep(settleMs, settled.signal)]);
    return watch.verdict();
  } finally {
    settled.abort();
    watch.close();
  }
}

/** The limits of one turn and the abort that enforces them. */
class TurnWatch {
  readonly controller = new AbortController();
  /** Resolves (with nothing) when the call is aborted, by a limit or from outside. */
  readonly ended: Promise<undefined>;
  readonly #order: TurnOrder;
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  readonly #onOuterAbort = (): void => this.controller.abort();
  readonly #cancelDuration: () => void;
  #cancelSilence: () => void = () => {};
  #lastActivityAt: number;
  #limit: string | undefined;

  constructor(order: TurnOrder, clock: Clock, outer: AbortSignal) {
    this.#order = order;
    this.#clock = clock;
    this.#outer = outer;
    this.#lastActivityAt = clock.now();
    this.ended = new Promise((resolve) => {
      this.controller.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    this.#cancelDuration = clock.after(order.maxDurationMs, () =>
      this.#exceed(`the turn took longer than turn.maxDurationMs (${order.maxDurationMs} ms)`),
    );
    this.#awaitSilence(order.timeoutMs);
    outer.addEventListener("abort", this.#onOuterAbort, { once: true });
  }

  /** Something arrived. */
  touch = (): void => {
    this.#lastActivityAt = this.#clock.now();
  };

  /** What an aborted call counts as. */
  verdict(): TurnOutcome {
    if (this.#limit === undefined) return { kind: "aborted" };
    return { kind: "failed", failure: { kind: "overloaded", message: this.#limit } };
  }

  close(): void {
    this.#cancelSilence();
    this.#cancelDuration();
    this.#outer.removeEventListener("abort", this.#onOuterAbort);
  }

  /** One timer a silence, not one a byte: when it fires it looks how long it really was silent. */
  #awaitSilence(ms: number): void {
    this.#cancelSilence = this.#clock.after(ms, () => {
      const left = this.#lastActivityAt + this.#order.timeoutMs - this.#clock.now();
      if (left > 0) this.#awaitSilence(left);
      else this.#exceed(`nothing arrived for turn.timeoutMs (${this.#order.timeoutMs} ms)`);
    });
  }

  #exceed(limit: string): void {
    // 1. Who was aborted before and takes its time to let go has not come to an end by that.
    if (this.controller.signal.aborted) return;
    this.#limit = limit;
    this.controller.abort();
  }
}

async function collect(
  order: TurnOrder,
  provider: Provider,
  watch: TurnWatch,
  onText: (text: string) => void,
): Promise<TurnOutcome | undefined> {
  const { session, system, turns, content } = order;
  const { signal } = watch.controller;
  let reply = "";
  try {
    const call = provider.call({ session, system, turns, content, signal, onActivity: watch.touch });
    for await (const part of call) {
      if (signal.aborted) return undefined;
      watch.touch();
      if (part.type !== "text") return outcomeOf(part, order, reply);
      reply += part.text;
      if (reply.length > longestReply) return failed("the reply does not end");
      if (part.text !== "") onText(part.text);
    }
    return signal.aborted ? undefined : failed("the provider ended without saying how");
  } catch (thrown) {
    return signal.aborted ? undefined : failed(errorText(thrown));
  }
}

function outcomeOf(part: Exclude<TurnPart, { type: "text" }>, order: TurnOrder, reply: string): TurnOutcome {
  if (part.type === "failed") return { kind: "failed", failure: part.failure };
  if (reply.trim() === "")
    return {
      kind: "failed",
      failure: { kind: "empty_reply", message: "the provider ended properly without text" },
    };
  return { kind: "done", reply, finish: part.finish, usage: part.usage ?? estimate(order, reply) };
}

function failed(message: string): TurnOutcome {
  return { kind: "failed", failure: { kind: "overloaded", message } };
}

/** Tokens where a turn reports none: a quarter of the UTF-8 bytes, rounded up (contract section 4). */
function estimate(order: TurnOrder, reply: string): Usage {
  const read = [order.system, ...order.turns.map((turn) => turn.content), order.content];
  const inputBytes = read.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    inputTokens: Math.ceil(inputBytes / 4),
    outputTokens: Math.ceil(Buffer.byteLength(reply) / 4),
    estimated: true,
  };
}
