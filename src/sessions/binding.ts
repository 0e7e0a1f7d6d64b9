import { sha256 } from "#platform/hash";
import type { RestartReason } from "../core/events.ts";
import type { Candidate } from "../providers/candidate.ts";
import type { ProviderConfig } from "../providers/provider.ts";
import type { ProviderSettings, Settings } from "../settings/schema.ts";
import type { Overrides, TurnMode } from "../store/sessions.ts";

/** The settings of class `turn` that are no provider's. */
export interface TurnOptions {
  system: string;
  timeoutMs: number;
  maxDurationMs: number;
  mode: TurnMode;
  batchMax: number;
  rolloverTokens: number;
  rolloverKeep: number;
  fallback: readonly string[];
}

/** What a generator runs under. A value: sessions with equal inputs share one. */
export interface Binding extends Candidate {
  options: TurnOptions;
  /** Equal exactly where everything in the binding is equal. Tells nothing of the key. */
  fingerprint: string;
  /** Why no turn can run under it; null where one can. */
  problem: string | null;
}

/** What a session itself says about its binding. */
export interface BindingInputs {
  overrides: Overrides;
  system: string | null;
}

/** What a session that follows the settings in everything says: one for all of them. */
const followsInEverything: BindingInputs = {
  overrides: { provider: null, model: null, mode: null },
  system: null,
};

/** Of a session's record what its binding is made of, so that the rest is not held in memory. */
export function inputsAlone({ overrides, system }: BindingInputs): BindingInputs {
  const { provider, model, mode } = overrides;
  const hasWishes = provider !== null || model !== null || mode !== null || system !== null;
  return hasWishes ? { overrides, system } : followsInEverything;
}

/**
 * The binding that settings and a session's own wishes make. Pure: a session is affected by a change of the
 * settings exactly if the fingerprint of this value differs.
 */
export function bindingOf(settings: Settings, inputs: BindingInputs): Binding {
  const { overrides } = inputs;
  const provider = overrides.provider ?? settings.provider;
  const entry = settings.providers[provider];
  const config = entry ? configOf(entry, overrides.model) : nowhere(overrides.model);
  const options = optionsOf(settings, inputs);
  return {
    provider,
    config,
    options,
    fingerprint: fingerprintOf([provider, config, options]),
    problem: entry ? (entry.notReady ?? null) : `providers has no entry "${provider}"`,
  };
}

/**
 * Where a session may go while its own provider is parked, in order. A model that the session set for itself
 * belongs to its own provider and does not go along.
 */
export function fallbackBindings(settings: Settings, inputs: BindingInputs, own: Binding): Binding[] {
  return own.options.fallback
    .filter((name) => name !== own.provider)
    .map((name) =>
      bindingOf(settings, { ...inputs, overrides: { ...inputs.overrides, provider: name, model: null } }),
    )
    .filter((binding) => binding.problem === null);
}

/** An endpoint, key and model with the options of another binding: where a session goes back to. */
export function withOptionsOf({ provider, config }: Candidate, wanted: Binding): Binding {
  const { options } = wanted;
  return {
    provider,
    config,
    options,
    fingerprint: fingerprintOf([provider, config, options]),
    problem: null,
  };
}

/** What of a binding changed: the first that applies, in the order of contract section 5. */
export function restartReason(from: Binding, to: Binding): RestartReason {
  if (from.provider !== to.provider || from.config.kind !== to.config.kind) return "provider_changed";
  if (from.config.model !== to.config.model) return "model_changed";
  if (from.config.endpoint !== to.config.endpoint) return "endpoint_changed";
  if (from.config.key !== to.config.key || from.config.userInfo !== to.config.userInfo)
    return "credentials_changed";
  return "options_changed";
}

function configOf(entry: ProviderSettings, model: string | null): ProviderConfig {
  const { kind, userInfo, maxOutputTokens, temperature, argv, delayMs } = entry;
  return {
    kind,
    endpoint: entry.baseUrl ?? kind,
    userInfo,
    key: entry.apiKey,
    model: model ?? entry.model,
    maxOutputTokens,
    temperature,
    argv,
    delayMs,
  };
}

/** The session names a provider that is no longer there: it waits, and is never silently moved to another. */
function nowhere(model: string | null): ProviderConfig {
  return {
    kind: "echo",
    endpoint: "",
    userInfo: undefined,
    key: undefined,
    model: model ?? "",
    maxOutputTokens: 1,
    temperature: undefined,
    argv: [],
    delayMs: 0,
  };
}

function optionsOf(settings: Settings, inputs: BindingInputs): TurnOptions {
  const { turn } = settings;
  return {
    system: inputs.system ?? turn.system,
    timeoutMs: turn.timeoutMs,
    maxDurationMs: turn.maxDurationMs,
    mode: inputs.overrides.mode ?? turn.mode,
    batchMax: turn.batchMax,
    rolloverTokens: turn.rolloverTokens,
    rolloverKeep: turn.rolloverKeep,
    fallback: settings.fallback,
  };
}

function fingerprintOf(value: unknown): string {
  return sha256(JSON.stringify(value), "base64url");
}
