import type { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { Clock } from "../core/clock.ts";
import type { Usage } from "../core/events.ts";
import { Exchange } from "./exchange.ts";
import { Models } from "./models.ts";
import type { ContextTurn, Provider, ProviderConfig, TurnPart, TurnRequest } from "./provider.ts";
import { redactionOf } from "./redaction.ts";

/** A model as the provider libraries make it (AI SDK, LanguageModelV4). */
export type LanguageModel = ReturnType<ReturnType<typeof createOpenAICompatible>["languageModel"]>;
type CallOptions = Parameters<LanguageModel["doStream"]>[0];
type StreamPart =
  Awaited<ReturnType<LanguageModel["doStream"]>>["stream"] extends ReadableStream<infer Part> ? Part : never;
type FinishPart = Extract<StreamPart, { type: "finish" }>;

/** A vendor's API, as far as one call of it needs. */
export interface Wire {
  /** Where the API is, as it may be shown. */
  url: string;
  /** Makes the model that speaks through `fetch`. Makes no call. */
  model(fetch: typeof globalThis.fetch): LanguageModel;
}

/**
 * A provider that speaks one vendor's API through its library: one streaming call a turn, never repeated. A turn
 * ends well only where the stream had its proper end.
 */
export function createWire(config: ProviderConfig, wire: Wire, clock: Clock): Provider {
  const models = new Models((fetch) => wire.model(fetch));
  return { call: (request) => callWire({ config, wire, clock, models }, request) };
}

async function* callWire(
  { config, wire, clock, models }: { config: ProviderConfig; wire: Wire; clock: Clock; models: Models },
  request: TurnRequest,
): AsyncGenerator<TurnPart> {
  if (request.signal.aborted) return;
  if (config.key !== undefined && !canBeSent(config.key)) {
    const message = `the key for ${wire.url} holds characters that no HTTP header can carry: set it anew`;
    yield { type: "failed", failure: { kind: "auth", message } };
    return;
  }
  const { key, userInfo } = config;
  const exchange = new Exchange({
    place: wire.url,
    hasKey: key !== undefined,
    userInfo,
    redact: redactionOf(key, userInfo),
    now: () => clock.now(),
    onActivity: request.onActivity,
  });
  // Ends the request also where a library gave up and left its stream open.
  const released = new AbortController();
  try {
    const signal = AbortSignal.any([request.signal, released.signal]);
    const lent = models.lend(withFetch(exchange));
    const options = callOptions(config, request, signal);
    for await (const part of readReply(lent.model, options, exchange, request.signal)) {
      if (part.type === "end") lent.giveBack();
      yield part;
    }
  } catch (thrown) {
    if (!request.signal.aborted) yield { type: "failed", failure: exchange.failureOf(thrown) };
  } finally {
    released.abort();
  }
}

/** The text of the reply, then its end, good or bad; nothing more once the turn is aborted. */
async function* readReply(
  model: LanguageModel,
  options: CallOptions,
  exchange: Exchange,
  aborted: AbortSignal,
): AsyncGenerator<TurnPart> {
  const { stream } = await model.doStream(options);
  let finish: FinishPart | undefined;
  for await (const part of stream) {
    if (aborted.aborted) return;
    if (part.type === "text-delta" && part.delta !== "") yield { type: "text", text: part.delta };
    if (part.type === "finish") finish = part;
    const failure = part.type === "raw" ? exchange.noteEvent(part.rawValue) : undefined;
    if (failure !== undefined) {
      yield { type: "failed", failure };
      return;
    }
    // The libraries go on after an event they cannot read; what they had to leave out would be missing.
    if (part.type === "error") throw part.error;
  }
  if (!aborted.aborted) yield endOf(finish, exchange);
}

/** A reply is whole only where its finish is one that the vendor named: see the traps of each library's flush. */
function endOf(finish: FinishPart | undefined, exchange: Exchange): TurnPart {
  const { unified = "interrupted", raw } = finish?.finishReason ?? {};
  const isNamed = raw !== undefined && raw !== "" && raw !== "error";
  const isWhole = isNamed && unified !== "interrupted" && unified !== "error";
  if (finish === undefined || !isWhole) {
    const how = isNamed ? `it ended with ${raw}` : "it ended without a finish";
    return { type: "failed", failure: exchange.unfinished(how) };
  }
  return { type: "end", finish: finishName(unified, raw), usage: usageOf(finish) };
}

function finishName(unified: FinishPart["finishReason"]["unified"], raw: string): string {
  if (unified === "stop" || unified === "length") return unified;
  return unified === "content-filter" ? "content_filter" : raw;
}

/** Null where the turn reported none; no turn reads no token at all, so that 0 means none was reported. */
function usageOf({ usage }: FinishPart): Usage | null {
  const { inputTokens, outputTokens } = usage;
  if (!inputTokens.total || outputTokens.total === undefined) return null;
  return { inputTokens: inputTokens.total, outputTokens: outputTokens.total };
}

function callOptions(config: ProviderConfig, request: TurnRequest, abortSignal: AbortSignal): CallOptions {
  return {
    prompt: [
      ...(request.system === "" ? [] : [{ role: "system" as const, content: request.system }]),
      ...sayable(request.turns).map(({ role, content }) => ({
        role,
        content: [{ type: "text" as const, text: content }],
      })),
      { role: "user", content: [{ type: "text", text: request.content }] },
    ],
    maxOutputTokens: config.maxOutputTokens,
    ...(config.temperature === undefined ? {} : { temperature: config.temperature }),
    abortSignal,
    includeRawChunks: true,
  };
}

/**
 * Vendors refuse a text that is empty, and a conversation that the assistant begins: a blank message that another
 * provider once answered must not make every later turn fail.
 */
function sayable(turns: readonly ContextTurn[]): readonly ContextTurn[] {
  const said = turns.filter((turn) => turn.content.trim() !== "");
  const first = said.findIndex((turn) => turn.role === "user");
  return first === -1 ? [] : said.slice(first);
}

function canBeSent(key: string): boolean {
  return /^[\x20-\x7e]*$/.test(key.trim());
}

/** The libraries ask for the platform's own type, which has more than the call. */
function withFetch(exchange: Exchange): typeof globalThis.fetch {
  return Object.assign(exchange.fetch, { preconnect: globalThis.fetch.preconnect });
}
