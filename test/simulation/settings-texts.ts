import type { Chance } from "./chance.ts";
import type { Document } from "./history.ts";
import type { Server } from "./call-script.ts";

/** The servers of a world. Each knows two keys, so that a key can be changed for a good one. */
export function makeServers(): Server[] {
  return [
    serverAt("http://first.example/v1", ["key-of-first", "newer-of-first"], ["one", "one-large"]),
    serverAt("http://second.example/v1", ["key-of-second", "newer-of-second"], ["two"]),
    serverAt("http://third.example/v1", ["key-of-third"], ["three"]),
    serverAt(vendor, ["key-of-vendor"], ["four"]),
  ];
}

function serverAt(endpoint: string, keys: readonly string[], models: readonly string[]): Server {
  return { endpoint, keys: new Set(keys), models: new Set(models), mood: "well" };
}

/** The one server that wants a key: without it nobody is to be called there. */
const vendor = "https://api.anthropic.com";

/** Settings that are good in every respect. */
export const firstDocument: Document = {
  provider: "first",
  providers: {
    first: { kind: "openai", baseUrl: "http://first.example/v1", model: "one", apiKey: "key-of-first" },
    second: { kind: "claude", baseUrl: "http://second.example/v1", model: "two", apiKey: "key-of-second" },
    third: { kind: "gemini", baseUrl: "http://third.example/v1", model: "three", apiKey: "key-of-third" },
    vendor: { kind: "claude", baseUrl: vendor, model: "four", apiKey: "key-of-vendor" },
  },
  turn: { timeoutMs: 20_000, maxDurationMs: 60_000, retryMs: 1000, maxAttempts: 3 },
  limits: { turnsPerProvider: 3 },
  reload: { pollMs: 20_000 },
  daemon: { graceMs: 5000 },
  sessions: { idleUnloadMs: 60_000 },
  storage: { durability: "normal" },
  log: { level: "error" },
};

/** Changes of every class: merge patches (RFC 7396) of the document. */
const changes: Readonly<Record<"live" | "turn" | "restart", readonly [Document, ...Document[]]>> = {
  turn: [
    { provider: "first" },
    { provider: "second" },
    { provider: "third" },
    { providers: { first: { apiKey: "key-of-first" } } },
    { providers: { first: { apiKey: "newer-of-first" } } },
    { providers: { first: { apiKey: "wrong-key" } } },
    { providers: { first: { model: "one" } } },
    { providers: { first: { model: "one-large" } } },
    { providers: { first: { model: "unknown" } } },
    { providers: { first: { baseUrl: "http://nowhere.example/v1" } } },
    { providers: { first: { baseUrl: "http://first.example/v1" } } },
    { providers: { second: { apiKey: "wrong-key" } } },
    { providers: { second: { apiKey: "key-of-second" } } },
    { providers: { second: { apiKey: "newer-of-second" } } },
    { providers: { vendor: { apiKey: null } } },
    { providers: { vendor: { apiKey: "key-of-vendor" } } },
    { providers: { first: { temperature: 0.5 } } },
    { providers: { first: { temperature: null } } },
    { fallback: [] },
    { fallback: ["third"] },
    { fallback: ["vendor"] },
    { fallback: ["second", "first"] },
    { turn: { mode: "batch" } },
    { turn: { mode: "single" } },
    { turn: { batchMax: 3 } },
    { turn: { rolloverTokens: 40 } },
    { turn: { rolloverTokens: 150_000 } },
    { turn: { rolloverKeep: 0 } },
    { turn: { system: "Be brief." } },
    { turn: { system: null } },
    { turn: { timeoutMs: 5000 } },
    { turn: { timeoutMs: 20_000 } },
  ],
  live: [
    { reload: { guard: "off" } },
    { reload: { guard: "any" } },
    { reload: { guard: "endpoint" } },
    { reload: { staggerMs: 0 } },
    { reload: { staggerMs: 5000 } },
    { reload: { debounceMs: 0 } },
    { reload: { debounceMs: 500 } },
    { reload: { mode: "manual" } },
    { reload: { mode: "auto" } },
    { reload: { pollMs: 2000 } },
    { reload: { pollMs: 20_000 } },
    { sessions: { idleUnloadMs: 3000 } },
    { sessions: { idleUnloadMs: 60_000 } },
    { limits: { turnsPerProvider: 1 } },
    { limits: { turnsPerProvider: 3 } },
    { limits: { tokensPerDay: 200 } },
    { limits: { tokensPerDay: null } },
    { limits: { maxPendingPerSession: 4 } },
    { limits: { maxPendingPerSession: null } },
    { limits: { maxMessageBytes: 30 } },
    { limits: { maxMessageBytes: null } },
    { turn: { maxAttempts: 1 } },
    { turn: { maxAttempts: 3 } },
    { turn: { retryMs: 200 } },
    { turn: { retryMs: 1000 } },
    { daemon: { graceMs: 0 } },
    { daemon: { graceMs: 5000 } },
    { storage: { durability: "full" } },
  ],
  restart: [
    { server: { port: 4747 } },
    { server: { port: 4748 } },
    { server: { port: 0 } },
    { server: { host: "localhost" } },
    { server: { host: null } },
    { server: { host: "127.0.0.2", port: 4749 } },
  ],
};

/** Another address. */
export function someAddress(chance: Chance): Document {
  return chance.pick(changes.restart);
}

/** Some change: mostly of what sessions run under. */
export function someChange(chance: Chance): Document {
  const luck = chance.next();
  const change = chance.pick(changes[luck < 0.02 ? "restart" : luck < 0.35 ? "live" : "turn"]);
  return chance.happens(0.2) ? merged(change, chance.pick(changes.turn), "keep") : change;
}

/** JSON Merge Patch (RFC 7396); with "keep" nulls of the patch stay, so that the result is a patch itself. */
export function merged(document: Document, patch: Document, nulls: "remove" | "keep" = "remove"): Document {
  const result: { [key: string]: unknown } = { ...document };
  for (const [key, value] of Object.entries(patch)) {
    const before = result[key];
    if (value === null && nulls === "remove") delete result[key];
    else result[key] = isDocument(value) ? merged(isDocument(before) ? before : {}, value, nulls) : value;
  }
  return result;
}

export function isDocument(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A document written down: now and then with a comment, a byte-order mark or other spaces. */
export function textOf(document: Document, chance: Chance): string {
  const text = JSON.stringify(document, null, chance.pick([0, 2, 2, 4]));
  const luck = chance.below(10);
  if (luck === 0) return `\uFEFF${text}\n`;
  return luck < 4 ? `// Written by hand.\n${text}\n` : `${text}\n`;
}

/** A text that means nothing, and how it came about. */
export function badText(
  document: Document,
  chance: Chance,
): { how: "half-written" | "invalid"; text: string } {
  const text = JSON.stringify(document, null, 2);
  switch (chance.below(6)) {
    case 0:
      return { how: "half-written", text: "" };
    case 1:
    case 2:
      return { how: "half-written", text: text.slice(0, 1 + chance.below(text.length - 2)) };
    case 3:
      return { how: "invalid", text: JSON.stringify({ ...document, turn: { maxAttempts: 0 } }) };
    case 4:
      return { how: "invalid", text: JSON.stringify({ ...document, provider: "nobody" }) };
    default:
      return { how: "invalid", text: JSON.stringify({ ...document, unheardOf: true }) };
  }
}
