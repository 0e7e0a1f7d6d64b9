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
 * The text of a file with its secret literals, the user-info of its URLs and the values of `hidden` masked, and nothing
 * else changed; copies of a secret in comments and in other values are masked too.
 */
export function maskText(
  { text, mark: byteOrderMark }: Document,
  leaves: readonly Judged[],
  hidden: readonly Range[],
  secrets: Secrets,
): string {
  const whole = hidden.map(({ offset, length }) => ({ offset, length, content: JSON.stringify(mask) }));
  const edits = [...leaves.flatMap(editOf), ...whole];
  const masked = applyEdits(text, edits);
  return byteOrderMark + (secrets.redact(masked) === masked ? masked : maskCopies(masked, secrets));
}

/** Masks secrets in comments and in values that are texts; names of keys stay, or the text would mean another thing. */
function maskCopies(text: string, secrets: Secrets): string {
  const edits = tokensOf(text).map(({ offset, length }) => {
    return { offset, length, content: secrets.redact(text.slice(offset, offset + length)) };
  });
  return applyEdits(
    text,
    edits.filter(({ offset, length, content }) => content !== text.slice(offset, offset + length)),
  );
}

function editOf(judged: Judged): Edit[] {
  const { node, raw } = judged.leaf;
  const masked = maskLeaf(judged);
  if (!node || masked === raw) return [];
  return [{ offset: node.offset, length: node.length, content: JSON.stringify(masked) }];
}

/** Comments and texts that are values, in order. */
function tokensOf(text: string): Range[] {
  const scanner = createScanner(text);
  const tokens: Range[] = [];
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    const first = text[offset];
    if (first === '"' || first === "/") tokens.push({ offset, length: scanner.getTokenLength() });
    else if (first === ":" && text[tokens.at(-1)?.offset ?? 0] === '"') tokens.pop();
  }
  return tokens;
}
