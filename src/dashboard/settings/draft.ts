import type { Field } from "./fields.ts";

/** What was typed and not saved, by dotted name: the path and the new value, null for the default. */
export type Draft = ReadonlyMap<string, Edit>;

/** One value that was typed. */
export interface Edit {
  path: readonly string[];
  /** Null restores the default; at the path of a provider it takes the provider away. */
  value: unknown;
  /** The value that it replaces, as it was when typing began: where it is another now, somebody else edited it too. */
  before: unknown;
}

/** What was typed into a field: a value, or what is wrong with it. */
export type Typed = { value: unknown } | { problem: string };

/** Settings as `GET /api/settings` shows them. */
export type Shown = Readonly<Record<string, unknown>>;

/** The value at a path; undefined where there is none. */
export function valueAt(settings: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((found, name) => {
    if (typeof found !== "object" || found === null) return undefined;
    return Object.entries(found).find(([key]) => key === name)?.[1];
  }, settings);
}

/** The draft with one more edit; an edit that gives the value that is there already takes itself away. */
export function withEdit(draft: Draft, settings: Shown, path: readonly string[], value: unknown): Draft {
  const name = path.join(".");
  const present = valueAt(settings, path);
  const next = new Map(draft);
  const before = draft.has(name) ? draft.get(name)?.before : present;
  if (isSame(value, present)) next.delete(name);
  else next.set(name, { path, value, before });
  return next;
}

/** The draft without the edits at a path and below. */
export function withoutEdits(draft: Draft, path: readonly string[]): Draft {
  const isBelow = (edit: Edit): boolean => path.every((name, index) => edit.path[index] === name);
  return new Map([...draft].filter(([, edit]) => !isBelow(edit)));
}

/**
 * The draft on top of settings that are others now: what the file says already is no edit any more; everything else
 * that was typed stays.
 */
export function rebase(draft: Draft, settings: Shown): Draft {
  return new Map([...draft].filter(([, { path, value }]) => !isSame(value, valueAt(settings, path))));
}

/** Names of edits whose value was changed by somebody else meanwhile. */
export function conflictsOf(draft: Draft, settings: Shown): string[] {
  const changed = [...draft].filter(([, { path, before }]) => !isSame(before, valueAt(settings, path)));
  return changed.map(([name]) => name);
}

/** A merge patch (RFC 7396) that makes the edits. */
export function patchOf(draft: Draft): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  // The shortest path first: what is added below a provider that was taken away comes after it.
  const edits = [...draft.values()].toSorted((a, b) => a.path.length - b.path.length);
  for (const { path, value } of edits) put(patch, path, value);
  return patch;
}

function put(patch: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = "", ...rest] = path;
  if (rest.length === 0) {
    patch[name] = value;
    return;
  }
  const present = patch[name];
  const inner: Record<string, unknown> =
    typeof present === "object" && present !== null ? Object.fromEntries(Object.entries(present)) : {};
  put(inner, rest, value);
  patch[name] = inner;
}

/** Reads what was typed into a field. What the daemon judges better is left to it. */
export function readTyped(field: Field, text: string): Typed {
  if (field.kind === "list") return { value: text.split("\n").filter((line) => line.trim() !== "") };
  if (field.kind !== "whole" && field.kind !== "number") return { value: text };
  const number = Number(text);
  const isWhole = field.kind === "whole";
  if (text.trim() === "" || Number.isNaN(number) || (isWhole && !Number.isInteger(number)))
    return { problem: isWhole ? "has to be a whole number" : "has to be a number" };
  if (field.min !== undefined && number < field.min) return { problem: `has to be at least ${field.min}` };
  if (field.max !== undefined && number > field.max) return { problem: `has to be at most ${field.max}` };
  return { value: number };
}

/** A value as it stands in its field. */
export function typedText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.map(typedText).join("\n") : JSON.stringify(value);
}

/** Whether two values are the same JSON; nothing there and null (the default) are not. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
