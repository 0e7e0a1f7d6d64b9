import type { FailureKind, Usage } from "../../src/core/events.ts";
import type { ProviderConfig, TurnRequest } from "../../src/providers/provider.ts";
import type { Chance } from "./chance.ts";
import type { ScriptedEnd } from "./history.ts";

/** How a server answers at present. */
export type Mood =
  | Exclude<FailureKind, "interrupted" | "empty_reply">
  | "well"
  | "slow"
  | "empty"
  | "cut"
  | "hanging"
  | "babbling"
  | "lying"
  | "ignoring"
  | "changing";

/** A server that daemons call, and what it knows. */
export interface Server {
  readonly endpoint: string;
  readonly keys: ReadonlySet<string>;
  readonly models: ReadonlySet<string>;
  mood: Mood;
}

/** What a call will do, from its beginning to its end. */
export interface Script {
  /** Each piece comes so long after the one before. */
  pieces: readonly { text: string; afterMs: number }[];
  /** Undefined: it never ends by itself. */
  end: ScriptedEnd | undefined;
  endAfterMs: number;
  /** The server does not hear that the caller has gone. */
  ignoresAbort: boolean;
  /** Something arrives all the time that is no text. */
  babbles: boolean;
}

const changingMoods = ["well", "well", "overloaded", "rate_limited", "cut", "empty", "slow"] as const;
const statuses: Readonly<Record<FailureKind, number | null>> = {
  rate_limited: 429,
  unreachable: null,
  overloaded: 500,
  auth: 401,
  not_found: 404,
  context_overflow: 400,
  invalid_request: 400,
  empty_reply: null,
  interrupted: null,
};

/** How a server will answer a call; undefined stands for a server that is not there. */
export function scriptFor(
  server: Server | undefined,
  config: ProviderConfig,
  request: TurnRequest,
  chance: Chance,
): Script {
  const endAfterMs = 20 + chance.below(600);
  const silent: Script = { pieces: [], end: undefined, endAfterMs, ignoresAbort: false, babbles: false };
  const mood = server?.mood === "changing" ? chance.pick(changingMoods) : server?.mood;
  if (!server || mood === undefined || mood === "unreachable") return refused(silent, "unreachable", chance);
  if (mood === "hanging") return silent;
  if (!server.keys.has(config.key ?? "")) return refused(silent, "auth", chance);
  if (!server.models.has(config.model)) return refused(silent, "not_found", chance);
  return inMood(mood, config, request, { ...silent, ignoresAbort: chance.happens(0.03) }, chance);
}

function inMood(
  mood: Exclude<Mood, "unreachable" | "hanging">,
  { model }: ProviderConfig,
  request: TurnRequest,
  script: Script,
  chance: Chance,
): Script {
  const reply = `${model}: ${request.content.slice(0, 24)}`;
  const usage = chance.happens(0.1) ? null : usageOf(request, reply);
  const pieces = piecesOf(reply, chance, mood === "slow" ? 6000 : 300);
  const answered: ScriptedEnd = {
    kind: "answered",
    reply,
    finish: chance.happens(0.05) ? "length" : "stop",
    usage,
  };
  switch (mood) {
    case "well":
    case "slow":
    case "changing":
      return { ...script, pieces, end: answered };
    case "ignoring":
      return { ...script, pieces, end: answered, ignoresAbort: true };
    case "lying": {
      const lie = { inputTokens: chance.below(400_000), outputTokens: chance.below(10) };
      return { ...script, pieces, end: { ...answered, usage: lie, isLie: true } };
    }
    case "empty":
      return { ...script, end: { kind: "empty" } };
    case "cut":
      return { ...script, pieces: pieces.slice(0, -1), end: { kind: "cut" } };
    case "babbling":
      return { ...script, babbles: true };
    default:
      return refused(script, mood, chance);
  }
}

function refused(script: Script, failure: FailureKind, chance: Chance): Script {
  const retryAfterMs =
    failure === "rate_limited" && chance.happens(0.5) ? 1000 * (1 + chance.below(90)) : null;
  return { ...script, end: { kind: "refused", failure, status: statuses[failure], retryAfterMs } };
}

function piecesOf(reply: string, chance: Chance, longestMs: number): Script["pieces"] {
  const half = Math.ceil(reply.length / 2);
  const texts = chance.happens(0.5) ? [reply] : [reply.slice(0, half), reply.slice(half)];
  return texts.map((text) => ({ text, afterMs: 5 + chance.below(longestMs) }));
}

/** About what a vendor would count. */
function usageOf({ system, turns, content }: TurnRequest, reply: string): Usage {
  const read = turns.reduce((sum, turn) => sum + turn.content.length, system.length + content.length);
  return { inputTokens: Math.ceil(read / 3) + 1, outputTokens: Math.ceil(reply.length / 3) + 1 };
}
