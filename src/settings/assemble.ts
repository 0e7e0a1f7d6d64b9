import * as v from "valibot";
import { providerKinds } from "../providers/provider.ts";
import type { Judged } from "./judged.ts";
import { nest } from "./nest.ts";
import { completeProvider } from "./provider-entry.ts";
import type { References } from "./references.ts";
import { type ProviderSettings, type Settings, settingsSchema } from "./schema.ts";

/** What was given, by whatever beats the rest: the values by dotted name, and where each provider's entry stands. */
export interface Given {
  values: ReadonlyMap<string, Judged>;
  /** The five and all declared ones; null where the entry has no place in the file. */
  providers: ReadonlyMap<string, number | null>;
}

/** Settings as far as what was given allows: what has a fault is left to its default. */
export interface Assembled {
  settings: Settings;
  /** The environment variable that a provider's key is looked for in, by provider, where that default holds. */
  keyVariables: ReadonlyMap<string, string>;
}

/** Takes values together, each beating those of its name before it. */
export function gather(values: readonly Judged[], declared: ReadonlyMap<string, number>): Given {
  const providers = new Map<string, number | null>(providerKinds.map((name) => [name, null]));
  for (const { leaf } of values) {
    const [group, name] = leaf.path;
    if (group === "providers" && name !== undefined) providers.set(name, null);
  }
  for (const [name, offset] of declared) providers.set(name, offset);
  return { values: new Map(values.map((judged) => [judged.leaf.name, judged])), providers };
}

/** The provider that sessions without their own take. */
export function chosenProvider({ values }: Given): string {
  const chosen = values.get("provider")?.value;
  return typeof chosen === "string" ? chosen : v.getDefault(settingsSchema.entries.provider);
}

/**
 * Whether a fault leaves the settings standing: a reference to the environment that a provider other than the
 * chosen one cannot resolve only keeps that provider from being used.
 */
export function isTolerable({ leaf, fault }: Judged, chosen: string): boolean {
  const [group, name, key] = leaf.path;
  return fault?.reference === "env" && group === "providers" && name !== chosen && key !== "kind";
}

/** Fills every default in and nests what was given. */
export function assemble(given: Given, references: References): Assembled {
  const plain = [...given.values.values()].filter(({ leaf }) => leaf.path[0] !== "providers");
  const values = plain.flatMap(({ leaf, value }) =>
    value === undefined ? [] : [[leaf.path, value] as const],
  );
  const { providers, keyVariables } = assembleProviders(given, references);
  return { settings: { ...v.parse(settingsSchema, nest(values)), providers }, keyVariables };
}

function assembleProviders(given: Given, references: References) {
  const providers: Record<string, ProviderSettings> = Object.create(null);
  const keyVariables = new Map<string, string>();
  const byProvider = groupByProvider(given);
  for (const name of given.providers.keys()) {
    const { values = {}, fault } = byProvider.get(name) ?? {};
    const { settings, keyVariable } = completeProvider(name, values, references, fault);
    providers[name] = settings;
    if (keyVariable !== undefined) keyVariables.set(name, keyVariable);
  }
  return { providers, keyVariables };
}

interface OfProvider {
  values: Record<string, unknown>;
  fault: string | undefined;
}

function groupByProvider(given: Given): Map<string, OfProvider> {
  const chosen = chosenProvider(given);
  const groups = new Map<string, OfProvider>();
  for (const judged of given.values.values()) {
    const [group, name = "", key = ""] = judged.leaf.path;
    if (group !== "providers") continue;
    const known = groups.get(name) ?? { values: {}, fault: undefined };
    if (isTolerable(judged, chosen)) known.fault ??= judged.fault?.message;
    if (judged.value !== undefined && !isAbsentKey(judged)) known.values[key] = judged.value;
    groups.set(name, known);
  }
  return groups;
}

/** An empty key counts as not written. One that is empty by a reference does not fall back to the default. */
export function isAbsentKey({ leaf, value, reference }: Judged): boolean {
  return leaf.path.at(-1) === "apiKey" && value === "" && reference === undefined;
}
