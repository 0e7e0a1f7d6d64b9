import type { ProviderKind } from "../providers/provider.ts";
import type { ChangeClass } from "./key.ts";
import { findKey, leafNames, pathOf } from "./keys.ts";
import type { ProviderSettings, Settings } from "./schema.ts";
import { defaultsOf } from "./vendors.ts";

/** What a change of settings is, key by key; all lists sorted. */
export interface ChangePlan {
  changedKeys: string[];
  /** Those of `changedKeys` of each class. */
  live: string[];
  turn: string[];
  restart: string[];
  /** Keys that the file changes and a flag of the command line beats: they are not in `changedKeys`. */
  masked: string[];
}

/**
 * Compares effective settings. `fromFile` are both without the flags, where there are any: only they can tell which
 * keys a flag masks.
 */
export function planChange(
  before: Settings,
  after: Settings,
  flagKeys: readonly string[],
  fromFile?: { before: Settings; after: Settings },
): ChangePlan {
  const inFile = fromFile && flagKeys.length > 0 ? changesBetween(fromFile.before, fromFile.after) : [];
  const masked = inFile.filter((name) => flagKeys.includes(name));
  return { ...byClass(changesBetween(before, after)), masked };
}

/** Changed keys, sorted, and those of each class. */
export function byClass(changedKeys: string[]): Omit<ChangePlan, "masked"> {
  const ofClass = (wanted: ChangeClass): string[] =>
    changedKeys.filter((name) => findKey(name)?.class === wanted);
  return { changedKeys, live: ofClass("live"), turn: ofClass("turn"), restart: ofClass("restart") };
}

function changesBetween(before: Settings, after: Settings): string[] {
  if (before === after) return [];
  const providers = differing(before.providers, after.providers);
  const groups = new Set(differing(before, after));
  return leafNames(providers)
    .filter(
      (name) =>
        groups.has(pathOf(name)[0] ?? "") &&
        JSON.stringify(valueAt(before, name, after)) !== JSON.stringify(valueAt(after, name, before)),
    )
    .sort();
}

/** The names under which two objects differ: an edit leaves most groups of settings as they are. */
function differing(before: object, after: object): string[] {
  const names = Object.keys({ ...before, ...after });
  return names.filter((name) => JSON.stringify(inner(before, name)) !== JSON.stringify(inner(after, name)));
}

/**
 * A provider that one side lacks counts there as one with the defaults of its kind and without a kind: adding one
 * changes its kind and what it sets itself.
 */
function valueAt(settings: Settings, name: string, other: Settings): unknown {
  const provider = providerOf(name);
  return provider === undefined || Object.hasOwn(settings.providers, provider)
    ? valueOf(settings, name)
    : valueWithout(name, other.providers[provider]?.kind);
}

/** The name of the provider whose key this is; undefined for other keys. */
export function providerOf(name: string): string | undefined {
  const [group, provider] = pathOf(name);
  return group === "providers" ? provider : undefined;
}

/** What a key says, that of a provider that there is included. */
export function valueOf(settings: Settings, name: string): unknown {
  const [group = "", key = "", ofProvider = ""] = pathOf(name);
  if (group !== "providers") return inner(inner(settings, group), key);
  return valueIn(settings.providers[key] ?? {}, ofProvider);
}

/** What a key of a provider of this kind counts as where there is no such provider. */
export function valueWithout(name: string, kind: ProviderKind = "echo"): unknown {
  const absent = { baseUrl: defaultsOf(kind).baseUrl, maxOutputTokens: 4096, argv: [], delayMs: 0 };
  return valueIn(absent, pathOf(name).at(-1) ?? "");
}

function valueIn(provider: Partial<ProviderSettings>, key: string): unknown {
  return key === "baseUrl" ? [provider.baseUrl, provider.userInfo] : inner(provider, key);
}

function inner(value: unknown, key: string): unknown {
  if (key === "" || typeof value !== "object" || value === null) return value;
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
