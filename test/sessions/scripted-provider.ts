import type { FailureKind, Usage } from "../../src/core/events.ts";
import type {
  ContextTurn,
  CreateProvider,
  Provider,
  ProviderConfig,
  TurnPart,
  TurnRequest,
} from "../../src/providers/provider.ts";
import type { BootClock } from "./boot-clock.ts";

/** One call as the provider saw it. */
export interface Call {
  readonly config: ProviderConfig;
  readonly session: string;
  readonly system: string;
  readonly turns: readonly ContextTurn[];
  readonly content: string;
  readonly startedAt: number;
  /** Places in the order of all beginnings and ends. */
  readonly began: number;
  ended: number | undefined;
  end: "running" | "answered" | "refused" | "aborted" | "lost";
}

/** How a call is answered; what is left out is an ordinary, good answer. */
export interface Answer {
  /** How long it takes; otherwise the provider's `latencyMs`. */
  afterMs?: number;
  /** The text; otherwise `MODEL: CONTENT`. */
  reply?: string;
  usage?: Usage | null;
  finish?: string;
  /** It ends in this failure instead. */
  refusal?: { kind: FailureKind; retryAfterMs?: number; status?: number; message?: string };
  /** It says this much and then ends without its end. */
  cut?: string;
  /** It says nothing until it is aborted. */
  hangs?: true;
  /** It does not hear that it is aborted, and answers when this resolves. */
  letsGoOf?: Promise<void>;
}

/** Providers that answer as a test says, and remember every call. */
export class ScriptedProvider {
  readonly calls: Call[] = [];
  latencyMs = 1000;
  answer: (call: Call) => Answer = () => ({});
  /** Asked when a provider is made; may wait, may throw. */
  onCreate: (config: ProviderConfig) => Promise<void> = async () => {};
  #order = 0;

  /** The place in the order of all beginnings and ends that comes next. */
  get order(): number {
    return this.#order;
  }

  /** The providers of one start of the daemon; `clock` is its own. */
  createOn(clock: BootClock): CreateProvider {
    return async (config) => {
      await this.onCreate(config);
      return this.#provider(config, clock);
    };
  }

  /** The daemon is gone: nobody listens to the calls in flight any more. */
  lose(): void {
    for (const call of this.running()) this.#end(call, "lost");
  }

  /** Calls in flight. */
  running(): Call[] {
    return this.calls.filter((call) => call.end === "running");
  }

  /** Calls that went to an endpoint, under a key or a model if one is given. */
  to(endpoint: string, more: { key?: string; model?: string } = {}): Call[] {
    return this.calls.filter(
      ({ config }) =>
        config.endpoint === endpoint &&
        (more.key === undefined || config.key === more.key) &&
        (more.model === undefined || config.model === more.model),
    );
  }

  /** How many of the calls were in flight together at most. */
  peak(of: (call: Call) => boolean = () => true): number {
    const steps = this.calls
      .filter(of)
      .flatMap(({ began, ended = Infinity }) => [
        { at: began, change: 1 },
        { at: ended, change: -1 },
      ])
      .toSorted((a, b) => a.at - b.at);
    let running = 0;
    let most = 0;
    for (const { change } of steps) {
      running += change;
      most = Math.max(most, running);
    }
    return most;
  }

  #provider(config: ProviderConfig, clock: BootClock): Provider {
    return { call: (request) => this.#call(config, clock, request) };
  }

  async *#call(config: ProviderConfig, clock: BootClock, request: TurnRequest): AsyncGenerator<TurnPart> {
    const { session, system, turns, content, signal } = request;
    // A program that was killed calls nobody.
    if (clock.isDead) await new Promise(() => {});
    const call: Call = {
      config,
      session,
      system,
      turns,
      content,
      startedAt: clock.now(),
      began: this.#order++,
      ended: undefined,
      end: "running",
    };
    this.calls.push(call);
    const answer = this.answer(call);
    if (answer.letsGoOf) await answer.letsGoOf;
    else await clock.sleep(answer.hangs === true ? Infinity : (answer.afterMs ?? this.latencyMs), signal);
    if (signal.aborted && !answer.letsGoOf) {
      this.#end(call, "aborted");
      return;
    }
    this.#end(call, answer.refusal || answer.cut !== undefined ? "refused" : "answered");
    yield* partsOf(call, answer);
  }

  #end(call: Call, end: Exclude<Call["end"], "running">): void {
    call.end = end;
    call.ended = this.#order++;
  }
}

function* partsOf({ config, content }: Call, answer: Answer): Generator<TurnPart> {
  const { reply, cut, refusal, usage, finish = "stop" } = answer;
  if (refusal) {
    const { message = `refused as ${refusal.kind}`, ...more } = refusal;
    yield { type: "failed", failure: { ...more, message } };
  } else if (cut === undefined) {
    yield { type: "text", text: reply ?? `${config.model}: ${content}` };
    yield { type: "end", finish, usage: usage === undefined ? { inputTokens: 10, outputTokens: 5 } : usage };
  } else yield { type: "text", text: cut };
}
