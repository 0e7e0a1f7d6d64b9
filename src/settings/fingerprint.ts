import { sha256 } from "#platform/hash";
import type { Settings } from "./schema.ts";

/** Settings are never changed once they are made. */
const known = new WeakMap<Settings, string>();

/** Equal exactly for equal effective settings, whatever the order of their keys. Tells nothing of secrets. */
export function effectiveFingerprint(settings: Settings): string {
  const fingerprint = known.get(settings) ?? fingerprintOf(settings);
  known.set(settings, fingerprint);
  return fingerprint;
}

function fingerprintOf(settings: Settings): string {
  return sha256(JSON.stringify(settings, sorted), "hex");
}

function sorted(key: string, value: unknown): unknown {
  // Derived from the others, and worded for people.
  if (key === "notReady") return undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
