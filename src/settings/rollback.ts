import { applyEdits, type Node, parseTree } from "jsonc-parser";
import { maskUserInfo } from "./base-url.ts";
import { type JsonPath, removeFromText } from "./json-text.ts";
import { dotted, findKey } from "./keys.ts";
import { isLegacySecret } from "./legacy.ts";
import { isJsonObject } from "./merge-patch.ts";
import { mask, type Secrets } from "./secrets.ts";

/**
 * An earlier text with its masks filled in: byte for byte what it was, but each secret is as the file has it now; one
 * that the file has no longer is left out. `kept` are the dotted names of those.
 */
export function withPresentSecrets(
  earlier: string,
  { written, copies }: { written: unknown; copies: Secrets },
): { text: string; kept: string[] } {
  const mark = earlier.startsWith("\uFEFF") ? "\uFEFF" : "";
  const text = earlier.slice(mark.length);
  const root = parseTree(text, [], { allowTrailingComma: true });
  const masked = root ? maskedNodes(root, []) : [];
  const filled = masked.map((place) => ({ ...place, secret: secretFor(place, written, copies) }));
  const edits = filled.flatMap(({ node, secret }) =>
    secret === undefined
      ? []
      : [{ offset: node.offset, length: node.length, content: JSON.stringify(secret) }],
  );
  const lost = filled.filter(({ path, secret }) => secret === undefined && isSecret(path));
  const whole = lost.reduce((now, { path }) => removeFromText(now, path), applyEdits(text, edits));
  const kept = filled.filter(({ path, secret }) => secret !== undefined || isSecret(path));
  return { text: mark + whole, kept: kept.map(({ path }) => dotted(path)) };
}

interface MaskedNode {
  path: JsonPath;
  node: Node;
  shown: string;
}

function maskedNodes(node: Node, path: JsonPath): MaskedNode[] {
  if (node.type === "string") {
    const shown = String(node.value);
    return shown.includes(mask) ? [{ path, node, shown }] : [];
  }
  return (node.children ?? []).flatMap((child, index) => {
    if (child.type !== "property") return maskedNodes(child, [...path, index]);
    const [name, value] = child.children ?? [];
    return name && value ? maskedNodes(value, [...path, String(name.value)]) : [];
  });
}

/** What stands behind a mask now; undefined where there is nothing, or nothing that is known to be the same. */
function secretFor({ path, shown }: MaskedNode, written: unknown, copies: Secrets): string | undefined {
  const present = path.reduce<unknown>(stepInto, written);
  if (typeof present !== "string") return undefined;
  if (isSecret(path) || copies.redact(present) === shown) return present;
  const userInfo = /^https?:\/\/([^/?#\\]*)@/i.exec(present)?.[1];
  if (path.at(-1) !== "baseUrl" || userInfo === undefined) return undefined;
  return maskUserInfo(shown, userInfo);
}

function stepInto(value: unknown, name: string | number): unknown {
  if (Array.isArray(value) && typeof name === "number") return value[name];
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isSecret(path: JsonPath): boolean {
  return findKey(dotted(path))?.secret === true || isLegacySecret(path);
}
