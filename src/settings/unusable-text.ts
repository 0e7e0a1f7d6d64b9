import { createScanner } from "jsonc-parser";
import { decodeUtf8 } from "./document.ts";
import { settingsKeys } from "./keys.ts";
import { mask, type Secrets } from "./secrets.ts";

/** A key whose text may be shown as it stands: one that is no secret and cannot hold one by its nature. */
const shownKeys: ReadonlySet<string> = new Set(
  settingsKeys()
    .filter(({ key, secret }) => !secret && !/\.(baseUrl|argv)$/.test(key))
    .map(({ path }) => path.at(-1) ?? ""),
);

/** Every name that can stand before a colon. */
const knownNames: ReadonlySet<string> = new Set(settingsKeys().flatMap(({ path }) => path));

/**
 * The text of a settings file that was not read, or could not be, as it may be shown. Where a quote is missing nobody
 * can tell what is a secret, so a text stands as it is only as the value of a key that holds none; every other text,
 * and every word that is no JSON, is masked. Comments stay, without the secrets that are known. Lines stay lines.
 * Null where the bytes are no UTF-8.
 */
export function maskUnusable(bytes: Uint8Array, copies: Secrets): string | null {
  const text = decodeUtf8(bytes);
  if (text === undefined) return null;
  const scanner = createScanner(text);
  const before: string[] = [];
  let shown = "";
  let last = -1;
  for (scanner.scan(); scanner.getPosition() > last; scanner.scan()) {
    last = scanner.getPosition();
    const token = text.slice(scanner.getTokenOffset(), last);
    shown += isShown(token, before, text.slice(last)) ? token : masked(token);
    if (!/^[\s/]/.test(token)) before.push(token);
  }
  return copies.redact(shown);
}

function isShown(token: string, before: readonly string[], rest: string): boolean {
  if (!token.startsWith('"')) return /^(\s+|\/[/*].*|[{}[\]:,]|true|false|null|-?[\d.]+)$/s.test(token);
  // One that does not end on its line may have swallowed anything.
  if (!/^".*"$/s.test(token)) return false;
  if (/^\s*:/.test(rest)) return isName(token.slice(1, -1));
  return before.at(-1) === ":" && shownKeys.has(before.at(-2)?.slice(1, -1) ?? "");
}

/** A longer name that nobody knows may be a secret in the wrong place. */
function isName(name: string): boolean {
  return knownNames.has(name) || /^(.{0,16}|CLAUDE_MEM_[A-Z_]+)$/.test(name);
}

function masked(token: string): string {
  const lineEnds = token.replaceAll(/[^\n]/g, "");
  if (!token.startsWith('"')) return mask + lineEnds;
  return `"${mask}${lineEnds}${token.endsWith('"') && token.length > 1 ? '"' : ""}`;
}
