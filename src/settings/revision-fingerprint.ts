import { sha256 } from "#platform/hash";
import * as v from "valibot";
import { providerKinds } from "../providers/provider.ts";
import { effectiveFingerprint } from "./fingerprint.ts";
import { leafNames } from "./keys.ts";
import { providerOf, valueOf, valueWithout } from "./plan.ts";
import type { Settings } from "./schema.ts";

const recordSchema = v.object({
  /** Of each provider that there is. */
  kinds: v.record(v.string(), v.picklist(providerKinds)),
  /** By dotted name. */
  digests: v.record(v.string(), v.string()),
});
type KeyRecord = v.InferOutput<typeof recordSchema>;

/**
 * What is kept of a revision to tell another by: the fingerprint of all its settings, then a digest of each key. What
 * secrets were and where references led stands nowhere else, and a later start has to say which of them have changed.
 */
export function revisionFingerprint(settings: Settings): string {
  return `${effectiveFingerprint(settings)} ${JSON.stringify(recordOf(settings))}`;
}

/** Whether settings are those of a revision. */
export function isOfRevision(settings: Settings, fingerprint: string): boolean {
  return fingerprint.split(" ", 1)[0] === effectiveFingerprint(settings);
}

/** The keys in which settings differ from those of a revision, sorted; undefined where it was kept without its keys. */
export function changedSince(fingerprint: string, settings: Settings): string[] | undefined {
  const text = fingerprint.slice(fingerprint.indexOf(" ") + 1);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), recordSchema), text);
  if (!parsed.success) return undefined;
  const [before, after] = [parsed.output, recordOf(settings)];
  const names = new Set([...Object.keys(before.digests), ...Object.keys(after.digests)]);
  return [...names].filter((name) => digestIn(before, name, after) !== digestIn(after, name, before)).sort();
}

function recordOf(settings: Settings): KeyRecord {
  const providers = Object.entries(settings.providers);
  const names = leafNames(providers.map(([name]) => name));
  return {
    kinds: Object.fromEntries(providers.map(([name, { kind }]) => [name, kind])),
    digests: Object.fromEntries(names.map((name) => [name, digestOf(valueOf(settings, name))])),
  };
}

/** A key that only one program knows was not changed by an edit. */
function digestIn({ kinds, digests }: KeyRecord, name: string, other: KeyRecord): string | undefined {
  const provider = providerOf(name);
  if (provider === undefined || Object.hasOwn(kinds, provider)) return digests[name] ?? other.digests[name];
  return digestOf(valueWithout(name, other.kinds[provider]));
}

function digestOf(value: unknown): string {
  return sha256(JSON.stringify(value) ?? "", "base64url").slice(0, 12);
}
