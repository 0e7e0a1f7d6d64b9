import { parse } from "jsonc-parser";
import type { Document } from "../history.ts";

/** Where a turn goes, as a settings document says it; undefined what it leaves to the vendor or the environment. */
export interface Destination {
  provider: string;
  endpoint: string | undefined;
  /** Null: no key is sent. */
  key: string | null | undefined;
  model: string | undefined;
}

/** What a session sets for itself. */
export interface Wishes {
  provider: string | null;
  model: string | null;
  mode: "single" | "batch" | null;
}

/** A session that follows the settings in everything. */
export const noWishes: Wishes = { provider: null, model: null, mode: null };

/** Numbers of contract section 2 by their path, with their defaults. */
const numbers = {
  "turn.timeoutMs": 120_000,
  "turn.maxDurationMs": 900_000,
  "turn.maxAttempts": 5,
  "turn.retryMs": 2000,
  "turn.batchMax": 20,
  "turn.rolloverTokens": 150_000,
  "turn.rolloverKeep": 2,
  "limits.turnsPerProvider": 4,
  "limits.tokensPerDay": 0,
  "limits.maxPendingPerSession": 10_000,
  "limits.maxMessageBytes": 1_048_576,
  "sessions.idleUnloadMs": 300_000,
  "storage.keepDays": 0,
  "reload.debounceMs": 500,
  "reload.pollMs": 2000,
  "reload.staggerMs": 2000,
  "daemon.graceMs": 20_000,
  "server.port": 4747,
} as const;

/** Other defaults of that section, written down. */
const others: Readonly<Record<string, string>> = {
  provider: '"echo"',
  fallback: "[]",
  "turn.system": '""',
  "turn.mode": '"single"',
  "reload.mode": '"auto"',
  "reload.guard": '"endpoint"',
  "server.host": '"127.0.0.1"',
  "storage.durability": '"full"',
  "log.level": '"info"',
};
const defaults = new Map<string, string>([
  ...Object.entries(numbers).map(([key, value]): [string, string] => [key, String(value)]),
  ...Object.entries(others),
]);

/** A number of the settings. */
export type NumberKey = keyof typeof numbers;

/** A number as a document says it, or its default. */
export function numberOf(document: Document, key: NumberKey): number {
  const value = at(document, key);
  return typeof value === "number" ? value : numbers[key];
}

/** A text as a document says it. */
export function textOf(document: Document, key: string, otherwise: string): string {
  const value = at(document, key);
  return typeof value === "string" ? value : otherwise;
}

/** The names to fall back to, in order. */
export function fallbackOf(document: Document): string[] {
  const value = document["fallback"];
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

/** Where a session with these wishes goes by a document. */
export function destinationOf(document: Document, wishes: Wishes): Destination {
  const provider = wishes.provider ?? textOf(document, "provider", "echo");
  const entry = providerEntry(document, provider);
  return { ...entry, provider, model: wishes.model ?? entry.model };
}

/** What a document says of one provider. */
export function providerEntry(document: Document, name: string): Destination {
  const entry = at(document, "providers", name);
  const said = isDocument(entry) ? entry : {};
  const kind = typeof said["kind"] === "string" ? said["kind"] : name;
  const isLocal = kind === "echo" || kind === "command";
  const baseUrl = said["baseUrl"];
  const model = said["model"];
  return {
    provider: name,
    endpoint: isLocal ? kind : typeof baseUrl === "string" ? baseUrl : undefined,
    key: keyOf(said["apiKey"], typeof baseUrl === "string" || isLocal),
    model: typeof model === "string" ? model : isLocal ? kind : undefined,
  };
}

/** The names of all providers that a document declares. */
export function providerNames(document: Document): string[] {
  const providers = document["providers"];
  return isDocument(providers) ? Object.keys(providers) : [];
}

/** Every leaf of a document by its path, those aside that say what holds anyway. */
export function leavesOf(document: Document): Map<string, string> {
  const leaves = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (!isDocument(value)) {
      const text = JSON.stringify(value) ?? "null";
      if (defaults.get(path) !== text) leaves.set(path, text);
    } else
      for (const [name, inner] of Object.entries(value)) walk(inner, path === "" ? name : `${path}.${name}`);
  };
  walk(document, "");
  return leaves;
}

/** What a text of the settings says, references as they are written; undefined where it says nothing. */
export function documentIn(text: string): Document | undefined {
  const written: unknown = parse(text.replace(/^\uFEFF/, ""));
  return isDocument(written) ? written : undefined;
}

/** The references that stand for keys in a document, and the endpoints beside them. */
export function keyReferences(document: Document): { reference: string; endpoint: string }[] {
  return providerNames(document).flatMap((name) => {
    const reference = at(document, "providers", name, "apiKey");
    const { endpoint } = providerEntry(document, name);
    return typeof reference === "string" && endpoint !== undefined ? [{ reference, endpoint }] : [];
  });
}

/** Whether a value is an object of named values. */
export function isDocument(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** References are not known here; the default key holds only for the vendor's own endpoint. */
function keyOf(value: unknown, isElsewhere: boolean): string | null | undefined {
  if (typeof value !== "string") return isElsewhere ? null : undefined;
  if (value.startsWith("$$")) return value.slice(1);
  if (/^\$[A-Za-z_][A-Za-z0-9_]*$/.test(value) || value.startsWith("file:")) return undefined;
  return value === "" ? null : value;
}

function at(document: Document, ...path: string[]): unknown {
  const names = path.length === 1 ? (path[0] ?? "").split(".") : path;
  return names.reduce<unknown>((value, name) => (isDocument(value) ? value[name] : undefined), document);
}
