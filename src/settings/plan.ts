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
  const changedKeys = changesBetween(before, after);
  const ofClass = (wanted: ChangeClass): string[] =>
    changedKeys.filter((name) => findKey(name)?.class === wanted);
  const inFile = fromFile && flagKeys.length > 0 ? changesBetween(fromFile.before, fromFile.after) : [];
  const masked = inFile.filter((name) => flagKeys.includes(name));
  return { changedKeys, live: ofClass("live"), turn: ofClass("turn"), restart: ofClass("restart"), masked };
}

function changesBetween(before: Settings, after: Settings): string[] {
  if (before === after) return [];
  const providers = new Set([...Object.keys(before.providers), ...Object.keys(after.providers)]);
  return leafNames([...providers])
    .filter(
      (name) => JSON.stringify(valueAt(before, name, after)) !== JSON.stringify(valueAt(after, name, before)),
    )
    .sort();
}

/**
 * A provider that one side lacks counts there as one with the defaults of its kind and without a kind: adding one
 * changes its kind and what it sets itself.
 */
function valueAt(settings: Settings, name: string, other: Settings): unknown {
  const [group = "", key = "", ofProvider = ""] = pathOf(name);
  if (group !== "providers") return inner(inner(settings, group), key);
  const provider = settings.providers[key];
  const present = provider ?? absent(other.providers[key]?.kind);
  if (ofProvider === "baseUrl") return [present.baseUrl, present.userInfo];
  return inner(present, ofProvider);
}

function absent(kind: ProviderKind = "echo"): Partial<ProviderSettings> {
  return { baseUrl: defaultsOf(kind).baseUrl, maxOutputTokens: 4096, argv: [], delayMs: 0 };
}

function inner(value: unknown, key: string): unknown {
  if (key === "" || typeof value !== "object" || value === null) return value;
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
