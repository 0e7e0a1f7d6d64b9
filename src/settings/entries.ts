import type { Node } from "jsonc-parser";
import { type Finding, maxProblems, nameText, valueText } from "./finding.ts";
import { dotted, knownAt, keysOfProvider, pathOf, settingsKeys } from "./keys.ts";
import { type Leaf, valueOf } from "./leaf.ts";
import { nearestPath } from "./nearest.ts";

/** Providers a file may declare. */
const maxProviders = 256;

/** What a settings file gives, by key, as written; values are not judged yet. */
export interface Entries {
  leaves: Leaf[];
  /** The providers that have an entry of their own, and where its name stands. */
  declared: Map<string, number>;
  findings: Finding[];
}

/**
 * Walks the tree of a settings file along the table. Unknown and doubled keys and misplaced values are findings; the
 * walk ends where there are more of them than are shown.
 */
export function readEntries(root: Node): Entries {
  const entries: Entries = { leaves: [], declared: new Map(), findings: [] };
  readObject(root, [], entries);
  return entries;
}

function readObject(object: Node, path: readonly string[], entries: Entries): void {
  const seen = new Set<string>();
  for (const { children = [] } of object.children ?? []) {
    if (entries.findings.length > maxProblems) return;
    const [nameNode, value] = children;
    if (!nameNode || !value) continue;
    const name = String(nameNode.value);
    const here = [...path, name];
    if (seen.has(name)) entries.findings.push(doubled(here, nameNode.offset));
    else readProperty(here, nameNode.offset, value, entries);
    seen.add(name);
  }
}

function doubled(path: readonly string[], offset: number): Finding {
  const shown = shownPath(path);
  return { path: shown, message: `${shown} is given twice; leave one of them out`, offset };
}

function readProperty(path: readonly string[], nameOffset: number, value: Node, entries: Entries): void {
  if (isEditorKey(path)) return readEditorKey(value, entries);
  const known = knownAt(path);
  if (!known) {
    entries.findings.push(unknown(path, nameOffset, [...entries.declared.keys()]));
  } else if (known.kind === "key") {
    const name = dotted(path);
    entries.leaves.push({
      key: known.key,
      name,
      path,
      raw: valueOf(value),
      node: value,
      flag: undefined,
      legacy: undefined,
    });
  } else if (value.type !== "object") {
    const shown = shownPath(path);
    const message = `${shown} must be an object (got ${valueText(valueOf(value))})`;
    entries.findings.push({ path: shown, message, offset: value.offset });
  } else {
    if (path[0] === "providers" && path[1] !== undefined) entries.declared.set(path[1], nameOffset);
    if (entries.declared.size <= maxProviders) readObject(value, path, entries);
    else entries.findings.push(tooMany(nameOffset));
  }
}

function tooMany(offset: number): Finding {
  return { path: "providers", message: `providers must be at most ${maxProviders}`, offset };
}

function isEditorKey(path: readonly string[]): boolean {
  return path.length === 1 && path[0] === "$schema";
}

function readEditorKey(value: Node, entries: Entries): void {
  if (value.type === "string") return;
  entries.findings.push({ path: "$schema", message: "$schema must be text", offset: value.offset });
}

/** Says that nothing is known at `path`, and what was most likely meant. */
export function unknown(
  path: readonly string[],
  offset: number | null,
  declared: readonly string[],
): Finding {
  const shown = shownPath(path);
  return { path: shown, message: unknownMessage(path, shown, declared), offset };
}

function unknownMessage(path: readonly string[], shown: string, declared: readonly string[]): string {
  const [name = ""] = path;
  if (path[0] === "providers" && path.length === 2) {
    return `${shown} is not a name a provider can have: it begins with a letter or digit and is at most 128 characters of A-Z, a-z, 0-9 and ._:/@+-`;
  }
  if (path.length === 1 && name.includes(".") && knownAt(pathOf(name))) {
    return `${shown} must be written nested, as an object in an object`;
  }
  return `${shown} is not a setting; did you mean ${nearestPath(path, candidates(path, declared)) ?? "another"}?`;
}

function candidates(path: readonly string[], declared: readonly string[]): (readonly string[])[] {
  const plain = settingsKeys().filter((key) => key.path[0] !== "providers");
  const groups = [
    ...new Set(plain.filter(({ path }) => path.length > 1).map(({ path: [section = ""] }) => section)),
  ];
  const name = path[0] === "providers" ? path[1] : (declared[0] ?? "NAME");
  const ofProvider = keysOfProvider().map((key) => ["providers", name ?? "NAME", key.path.at(-1) ?? ""]);
  return [
    ["$schema"],
    ["providers"],
    ...groups.map((group) => [group]),
    ...plain.map((key) => key.path),
    ...ofProvider,
  ];
}

function shownPath(path: readonly string[]): string {
  return dotted(path.map(nameText));
}
