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
const keptSchema = v.object({
  ...recordSchema.entries,
  /** SHA-256 of the bytes that it came from; null where there was no file. */
  file: v.optional(v.nullable(v.string())),
});
type KeyRecord = v.InferOutput<typeof recordSchema>;

/**
 * What is kept of a revision to tell another by: the fingerprint of all its settings, then a digest of each key, and of
 * its file. What secrets were and where references led stands nowhere else, and a later start has to say which of them
 * have changed.
 */
export function revisionFingerprint(settings: Settings, file: string | null): string {
  return `${effectiveFingerprint(settings)} ${JSON.stringify({ ...recordOf(settings), file })}`;
}

/** Whether settings are those of a revision. */
export function isOfRevision(settings: Settings, fingerprint: string): boolean {
  return fingerprint.split(" ", 1)[0] === effectiveFingerprint(settings);
}

/** Whether a revision came from the bytes of this SHA-256, wherever their references lead by now. */
export function isOfFile(file: string, fingerprint: string): boolean {
  return keptOf(fingerprint)?.file === file;
}

/** The keys in which settings differ from those of a revision, sorted; undefined where it was kept without its keys. */
export function changedSince(fingerprint: string, settings: Settings): string[] | undefined {
  const before = keptOf(fingerprint);
  if (!before) return undefined;
  const after = recordOf(settings);
  const names = new Set([...Object.keys(before.digests), ...Object.keys(after.digests)]);
  return [...names].filter((name) => digestIn(before, name, after) !== digestIn(after, name, before)).sort();
}

function keptOf(fingerprint: string): v.InferOutput<typeof keptSchema> | undefined {
  const text = fingerprint.slice(fingerprint.indexOf(" ") + 1);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), keptSchema), text);
  return parsed.success ? parsed.output : undefined;
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
