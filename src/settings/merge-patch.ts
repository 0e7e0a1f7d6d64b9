import type { Problem } from "../core/errors.ts";
import type { JsonPath } from "./json-text.ts";
import { dotted, findKey } from "./keys.ts";
import { mask } from "./secrets.ts";

/** A change of one value of a settings file: the value, or its removal. */
export type Change = { path: JsonPath; value: unknown } | { path: JsonPath; isRemoved: true };

/** What stands in a file, and how it is shown. */
export interface Present {
  /** The file's value as it is written. */
  written: unknown;
  /** The effective settings as they may be shown, secrets masked. */
  shown: unknown;
}

/** Changes, and what is wrong with what was asked for. */
export interface Changes {
  changes: Change[];
  problems: Problem[];
}

/**
 * What a merge patch changes (RFC 7396): null removes, objects are merged, anything else replaces. A text with a mask
 * that is what is shown at its place means unchanged; any other one with a mask in it is a problem.
 */
export function changesOfPatch(patch: Readonly<Record<string, unknown>>, present: Present): Changes {
  const found: Changes = { changes: [], problems: [] };
  merge(patch, [], present, found);
  return found;
}

/** What it takes to make a file say `settings` and nothing else; its `$schema` stays where none is given. */
export function changesOfPut(settings: Readonly<Record<string, unknown>>, present: Present): Changes {
  const found: Changes = { changes: [], problems: [] };
  replace(settings, [], present, found);
  return found;
}

/** Whether `value` is an object of JSON. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merge(
  patch: Readonly<Record<string, unknown>>,
  path: JsonPath,
  present: Present,
  found: Changes,
): void {
  for (const [name, value] of Object.entries(patch)) {
    const here = [...path, name];
    const there = inner(present, name);
    if (value === null) {
      if (there.written !== undefined) found.changes.push({ path: here, isRemoved: true });
    } else if (isJsonObject(value) && isJsonObject(there.written)) merge(value, here, there, found);
    else put(withoutNulls(value), here, there, found);
  }
}

function replace(
  settings: Readonly<Record<string, unknown>>,
  path: JsonPath,
  present: Present,
  found: Changes,
): void {
  const written = isJsonObject(present.written) ? present.written : {};
  for (const name of Object.keys(written)) {
    const isKept = Object.hasOwn(settings, name) || (path.length === 0 && name === "$schema");
    if (!isKept) found.changes.push({ path: [...path, name], isRemoved: true });
  }
  for (const [name, value] of Object.entries(settings)) {
    const there = inner(present, name);
    if (isJsonObject(value) && isJsonObject(there.written)) replace(value, [...path, name], there, found);
    else put(value, [...path, name], there, found);
  }
}

/** Puts a value in the place of another kind of value, or of none. */
function put(value: unknown, path: JsonPath, present: Present, found: Changes): void {
  const unmasked = unmask(value, path, present, found.problems);
  if (unmasked === unchanged || isSame(unmasked, present.written)) return;
  found.changes.push({ path, value: unmasked });
}

/** Stands for a value that is to stay as it is. */
const unchanged = Symbol("unchanged");

function unmask(value: unknown, path: JsonPath, present: Present, problems: Problem[]): unknown {
  if (!holdsMask(value)) return value;
  const isSecret = findKey(dotted(path))?.secret === true;
  if (isSame(value, present.shown) || (value === mask && isSecret)) return unchanged;
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(
      ([name, item]) => [name, unmask(item, [...path, name], inner(present, name), problems)] as const,
    );
    const changed = entries.filter(([, item]) => item !== unchanged);
    return changed.length === 0 ? unchanged : Object.fromEntries(changed);
  }
  if (Array.isArray(value))
    return value.map((item: unknown, index) => unmaskItem(item, [...path, index], present, problems));
  problems.push(maskProblem(path));
  return value;
}

/** An item of a list may have moved: it is known by how it is shown. */
function unmaskItem(
  item: unknown,
  path: JsonPath,
  { written, shown }: Present,
  problems: Problem[],
): unknown {
  if (!holdsMask(item)) return item;
  const index = Array.isArray(shown) ? shown.indexOf(item) : -1;
  if (index >= 0 && Array.isArray(written)) return written[index];
  problems.push(maskProblem(path));
  return item;
}

function maskProblem(path: JsonPath): Problem {
  const name = dotted(path);
  return {
    path: name,
    message: `${name} holds ${mask}, which stands for a secret; write the secret itself, or leave the key out`,
  };
}

function holdsMask(value: unknown): boolean {
  if (typeof value === "string") return value.includes(mask);
  if (Array.isArray(value)) return value.some(holdsMask);
  return isJsonObject(value) && Object.values(value).some(holdsMask);
}

/** A patch in the place of nothing: what it would remove is not there (RFC 7396, section 2). */
function withoutNulls(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([name, item]) => [name, withoutNulls(item)]));
}

function inner({ written, shown }: Present, name: string): Present {
  return { written: ofObject(written, name), shown: ofObject(shown, name) };
}

function ofObject(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Equal as JSON, whatever the order of keys. */
function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item: unknown, index) => isSame(item, b[index]));
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => isSame(a[name], ofObject(b, name)));
}
