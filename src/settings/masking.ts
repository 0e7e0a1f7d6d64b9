import { applyEdits, createScanner, type Edit, type Range } from "jsonc-parser";
import { type Assembled, type Given, isAbsentKey } from "./assemble.ts";
import { maskUserInfo } from "./base-url.ts";
import type { Document } from "./document.ts";
import type { Judged } from "./judged.ts";
import { findKey, leafNames, pathOf } from "./keys.ts";
import { nest } from "./nest.ts";
import { mask, type Secrets } from "./secrets.ts";

/**
 * Effective settings as they may be shown: nested, defaults included, each text as it was written. A secret literal
 * and the user-info of a URL are masked, a reference stands as written; what is unset is left out. Written to a file,
 * with the masks filled in, it gives the same settings.
 */
export function maskSettings(given: Given, assembled: Assembled, secrets: Secrets): Record<string, unknown> {
  const names = leafNames(Object.keys(assembled.settings.providers));
  const values = names.map(
    (name) => [pathOf(name), hide(shownValue(name, given, assembled), secrets)] as const,
  );
  return nest(values.filter(([, value]) => value !== undefined));
}

function shownValue(name: string, given: Given, { settings, keyVariables }: Assembled): unknown {
  const judged = given.values.get(name);
  if (judged && !isAbsentKey(judged)) return maskLeaf(judged);
  const [group, provider = "", key = ""] = pathOf(name);
  if (group !== "providers") return findKey(name)?.default;
  if (key === "apiKey") return keyVariables.has(provider) ? `$${keyVariables.get(provider)}` : undefined;
  return new Map<string, unknown>(Object.entries(settings.providers[provider] ?? {})).get(key);
}

function maskLeaf({ leaf, reference }: Judged): unknown {
  if (typeof leaf.raw !== "string" || reference) return leaf.raw;
  if (leaf.key.secret) return leaf.raw === "" ? "" : mask;
  return leaf.path.at(-1) === "baseUrl" ? maskUserInfo(leaf.raw, mask) : leaf.raw;
}

/** Hides secrets that were written where none belongs. */
function hide(value: unknown, secrets: Secrets): unknown {
  if (typeof value === "string") return secrets.redact(value);
  return Array.isArray(value) ? value.map((item: unknown) => hide(item, secrets)) : value;
}

/**
 * The text of a file with its secret literals and the user-info of its URLs masked, and nothing else changed; copies
 * of a secret in comments and in other values are masked too.
 */
export function maskText({ text, mark }: Document, leaves: readonly Judged[], secrets: Secrets): string {
  const edits = leaves.flatMap((judged) => editOf(judged));
  const covered = new Set(edits.map(({ offset }) => offset));
  const copies = tokensOf(text).filter(({ offset }) => !covered.has(offset));
  for (const { offset, length } of copies) {
    const token = text.slice(offset, offset + length);
    const content = secrets.redact(token);
    if (content !== token) edits.push({ offset, length, content });
  }
  return mark + applyEdits(text, edits);
}

function editOf(judged: Judged): Edit[] {
  const { node, raw } = judged.leaf;
  const masked = maskLeaf(judged);
  if (!node || masked === raw) return [];
  return [{ offset: node.offset, length: node.length, content: JSON.stringify(masked) }];
}

/** Comments and texts, in order. */
function tokensOf(text: string): Range[] {
  const scanner = createScanner(text);
  const tokens: Range[] = [];
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    const first = text[offset];
    if (first === '"' || first === "/") tokens.push({ offset, length: scanner.getTokenLength() });
  }
  return tokens;
}
