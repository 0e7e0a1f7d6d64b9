import * as v from "valibot";
import type { ProviderKind } from "../providers/provider.ts";
import { splitBaseUrl } from "./base-url.ts";
import type { References } from "./references.ts";
import { type ProviderSettings, providerSchema } from "./schema.ts";
import { builtInKind, defaultsOf, isVendorsOwn } from "./vendors.ts";

/** A provider completed. */
export interface CompletedProvider {
  settings: ProviderSettings;
  /** The environment variable that its key is looked for in; undefined where the default does not hold. */
  keyVariable: string | undefined;
}

/** What an entry of `providers` has of its own, judged and resolved, by the last part of the key. */
export type GivenProvider = Readonly<Record<string, unknown>>;

/**
 * Fills in by kind and name what an entry leaves out. `fault` says why the provider cannot be used although the
 * settings stand; it then gets no key, so that nothing can carry the key elsewhere.
 */
export function completeProvider(
  name: string,
  given: GivenProvider,
  references: References,
  fault: string | undefined,
): CompletedProvider {
  const entry = v.parse(providerSchema, given);
  const kind = entry.kind ?? builtInKind(name) ?? "echo";
  const defaults = defaultsOf(kind);
  const written = defaults.baseUrl === undefined ? undefined : (entry.baseUrl ?? defaults.baseUrl);
  const address = written === undefined ? undefined : splitBaseUrl(written);
  const keyVariable = entry.apiKey === undefined ? variableFor(kind, written) : undefined;
  const key = keyVariable === undefined ? entry.apiKey : defaultKey(keyVariable, references);
  const settings = {
    kind,
    model: entry.model ?? defaults.model,
    baseUrl: address?.clean,
    userInfo: address?.userInfo,
    apiKey: fault === undefined && key ? key : undefined,
    maxOutputTokens: entry.maxOutputTokens,
    temperature: entry.temperature,
    argv: entry.argv,
    delayMs: entry.delayMs,
  };
  return { settings: { ...settings, notReady: fault ?? whyNotReady(name, settings) }, keyVariable };
}

function variableFor(kind: ProviderKind, baseUrl: string | undefined): string | undefined {
  return baseUrl !== undefined && isVendorsOwn(kind, baseUrl) ? defaultsOf(kind).keyVariable : undefined;
}

/** The key of the environment; one that no header could carry counts as absent. */
function defaultKey(variable: string, references: References): string | undefined {
  const found = references.resolve(`$${variable}`);
  const isUsable = found.kind === "text" && v.is(providerSchema.entries.apiKey, found.text);
  return isUsable ? found.text : undefined;
}

function whyNotReady(name: string, settings: Omit<ProviderSettings, "notReady">): string | undefined {
  const { kind, baseUrl, apiKey, argv } = settings;
  if (kind === "command" && !argv[0]) {
    return `providers.${name}.argv names no program`;
  }
  if (baseUrl === undefined || !isVendorsOwn(kind, baseUrl) || apiKey) return undefined;
  const variable = defaultsOf(kind).keyVariable ?? "";
  return `providers.${name} has no API key; set providers.${name}.apiKey or the environment variable ${variable}`;
}
