import * as v from "valibot";
import { type ChangeClass, type Key, keyMetadata, type Unit } from "./key.ts";
import { providerKeys, providerName, rootKeys, sectionKeys } from "./table.ts";

/** What the table says of one key. */
export interface SettingsKey {
  /** Dotted; `providers.NAME.model` for the keys of a provider. */
  key: string;
  path: readonly string[];
  class: ChangeClass;
  unit: Unit | undefined;
  secret: boolean;
  /** The value where the file says nothing; undefined where there is none, or where it depends on the kind. */
  default: unknown;
  /** The default as a person reads it, in Markdown. */
  shownDefault: string;
  description: string;
  /** `whole number`, `number`, `text`, `choice`, `list` (of texts). */
  form: v.InferOutput<typeof keyMetadata>["form"];
  min: number | undefined;
  max: number | undefined;
  options: readonly string[] | undefined;
  /** Judges a value; its first issue completes the sentence "KEY …". */
  schema: v.GenericSchema;
}

/** What stands at a place of the file: a key, a group of keys, or nothing that is known. */
export type Known = { kind: "key"; key: SettingsKey } | { kind: "group" };

const allKeys: readonly SettingsKey[] = readTable();
const byName: ReadonlyMap<string, SettingsKey> = new Map(allKeys.map((key) => [key.key, key]));

/** Every key of the table, in its order. */
export function settingsKeys(): readonly SettingsKey[] {
  return allKeys;
}

/** The keys that every provider has. */
export function keysOfProvider(): readonly SettingsKey[] {
  return allKeys.filter((key) => key.path[0] === "providers");
}

/** The dotted name of a path. */
export function dotted(path: readonly (string | number)[]): string {
  return path.join(".");
}

/**
 * The path of a dotted name. A provider's name may itself hold dots: it is what stands between `providers.` and
 * the last dot.
 */
export function pathOf(key: string): string[] {
  if (!key.startsWith("providers.")) return key.split(".");
  const end = key.lastIndexOf(".");
  const start = "providers.".length;
  return end < start ? key.split(".") : ["providers", key.slice(start, end), key.slice(end + 1)];
}

/** The dotted names of all keys, those of the named providers included. */
export function leafNames(providers: readonly string[]): string[] {
  const plain = allKeys.filter(({ path }) => path[0] !== "providers");
  const ofProvider = keysOfProvider().map(({ path }) => path.at(-1) ?? "");
  const inProviders = providers.flatMap((name) => ofProvider.map((key) => `providers.${name}.${key}`));
  return [...plain.map(({ key }) => key), ...inProviders];
}

/** What the table says of the key that has this dotted name; undefined where there is none. */
export function findKey(name: string): SettingsKey | undefined {
  const known = knownAt(pathOf(name));
  return known?.kind === "key" ? known.key : undefined;
}

/** What stands at `path` in a settings file; undefined where the table knows nothing. */
export function knownAt(path: readonly string[]): Known | undefined {
  const [head = "", second, third] = path;
  if (head === "providers") return knownInProviders(path.length, second, third);
  if (path.length === 1 && Object.hasOwn(sectionKeys, head)) return { kind: "group" };
  return knownKey(dotted(path), path.length);
}

function knownInProviders(depth: number, name = "", key = ""): Known | undefined {
  if (depth === 1) return { kind: "group" };
  if (!providerName.test(name)) return undefined;
  if (depth === 2) return { kind: "group" };
  return knownKey(`providers.NAME.${key}`, depth);
}

/** The depth tells `{"turn": {"mode": …}}` from `{"turn.mode": …}`. */
function knownKey(name: string, depth: number): Known | undefined {
  const key = byName.get(name);
  return key?.path.length === depth ? { kind: "key", key } : undefined;
}

function readTable(): SettingsKey[] {
  const sections = Object.entries(sectionKeys).flatMap(([section, keys]) => readGroup([section], keys));
  return [...readGroup([], rootKeys), ...readGroup(["providers", "NAME"], providerKeys), ...sections];
}

function readGroup(group: readonly string[], keys: Record<string, Key>): SettingsKey[] {
  return Object.entries(keys).map(([name, key]) => readKey([...group, name], key));
}

function readKey(path: readonly string[], key: Key): SettingsKey {
  const said = v.parse(keyMetadata, v.getMetadata(key.wrapped));
  const initial: unknown = v.getDefault(key);
  return {
    key: dotted(path),
    path,
    class: said.class,
    unit: said.unit,
    secret: said.secret ?? false,
    default: initial,
    shownDefault: said.shownDefault ?? `\`${JSON.stringify(initial)}\``,
    description: said.description,
    form: said.form,
    min: said.min,
    max: said.max,
    options: said.options,
    schema: key.wrapped,
  };
}
