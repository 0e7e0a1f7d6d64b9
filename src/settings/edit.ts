import { SegueError, type Problem } from "../core/errors.ts";
import { type Document, parseDocument } from "./document.ts";
import { removeFromText, setInText } from "./json-text.ts";
import { valueOf } from "./leaf.ts";
import { type Change, type Changes, changesOfPatch, changesOfPut, isJsonObject } from "./merge-patch.ts";
import type { Reading, ReadResult } from "./read.ts";
import { withPresentSecrets } from "./rollback.ts";
import type { Settings } from "./schema.ts";
import { copiesOf } from "./secrets.ts";

/** What is asked for: a merge patch (RFC 7396), other settings altogether, or an earlier text. */
export type Edit =
  | { kind: "patch"; patch: Readonly<Record<string, unknown>> }
  | { kind: "put"; settings: Readonly<Record<string, unknown>> }
  /** The text as it was kept, its secrets masked; null where no file stood behind the revision. */
  | { kind: "rollback"; text: string | null };

/** A settings file that is in force. */
export interface EditedFile {
  /** Null where there is none: defaults. */
  bytes: Uint8Array | null;
  reading: Reading;
}

/** What an edit makes of a file. */
export interface EditResult {
  bytes: Uint8Array;
  reading: Reading;
  /** Dotted names of secrets that stay as the file has them now, although an earlier text comes back. */
  kept: string[];
}

/**
 * What `edit` makes of a file, judged by `read` as the daemon would: comments, formatting and byte-order mark stay.
 * Throws `settings_invalid` with every problem, placed in the text that would have been written, and
 * `legacy_settings` where the file is claude-mem's, or would become it.
 */
export function editSettings(
  before: EditedFile,
  edit: Edit,
  read: (bytes: Uint8Array) => ReadResult,
): EditResult {
  if (before.reading.legacy && edit.kind !== "rollback")
    throw legacy("the settings file is in claude-mem's form");
  const document = before.bytes === null ? undefined : documentOf(before.bytes);
  const { text, kept } = editText(document, before.reading, edit);
  const mark = edit.kind === "rollback" ? "" : (document?.mark ?? "");
  const bytes = new TextEncoder().encode(mark + text);
  const result = read(bytes);
  if (result.kind === "problems") throw invalid(result.problems);
  if ((result.reading.legacy === undefined) !== (before.reading.legacy === undefined))
    throw legacy("the settings file would change between claude-mem's form and Segue's own");
  const exposed = edit.kind === "rollback" ? [] : exposedKeys(before.reading, result.reading, edit);
  if (exposed.length > 0) throw invalid(exposed);
  return { bytes, reading: result.reading, kept };
}

function editText(
  document: Document | undefined,
  { shown, secrets }: Reading,
  edit: Edit,
): { text: string; kept: string[] } {
  const present = { written: document ? valueOf(document.root) : {}, shown };
  const text = document?.text ?? "{}\n";
  switch (edit.kind) {
    case "patch":
      return { text: changed(text, changesOfPatch(edit.patch, present)), kept: [] };
    case "put":
      return { text: changed(text, changesOfPut(edit.settings, present)), kept: [] };
    case "rollback":
      return withPresentSecrets(edit.text ?? "{}\n", { written: present.written, copies: copiesOf(secrets) });
  }
}

function changed(text: string, { changes, problems }: Changes): string {
  if (problems.length > 0) throw invalid(problems);
  return changes.reduce(
    (now: string, change: Change) =>
      "isRemoved" in change ? removeFromText(now, change.path) : setInText(now, change.path, change.value),
    text,
  );
}

function documentOf(bytes: Uint8Array): Document {
  const parsed = parseDocument(bytes);
  if ("document" in parsed) return parsed.document;
  throw new TypeError("a file that was judged to be good does not parse");
}

/**
 * A stored key goes only to the endpoint it was set for (contract section 1): who moves a provider to another server
 * gives its key again, or another one, or none. Whoever edits the file by hand sees both.
 */
function exposedKeys(before: Reading, after: Reading, edit: Exclude<Edit, { kind: "rollback" }>): Problem[] {
  const given = edit.kind === "patch" ? edit.patch : edit.settings;
  return Object.keys(after.settings.providers).flatMap((name) => {
    const path = `providers.${name}.apiKey`;
    const isStored = [before, after].every(({ sources }) => {
      return sources[path]?.source === "file" && sources[path].reference === undefined;
    });
    const isGiven =
      typeof valueAt(given, ["providers", name, "apiKey"]) === "string" && !isMasked(given, name);
    const [old, now] = [before, after].map(({ settings }) => serverOf(settings, name));
    if (!isStored || isGiven || old === now || old === undefined) return [];
    const message = `${path} was set for ${old}; give it again together with the new baseUrl, or null for none`;
    return [{ path, message }];
  });
}

function isMasked(given: unknown, name: string): boolean {
  return String(valueAt(given, ["providers", name, "apiKey"])).includes("•");
}

function serverOf({ providers }: Settings, name: string): string | undefined {
  const { baseUrl, apiKey } = providers[name] ?? {};
  return apiKey === undefined || baseUrl === undefined ? undefined : new URL(baseUrl).origin;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (isJsonObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined),
    value,
  );
}

function legacy(message: string): SegueError {
  return new SegueError("legacy_settings", `${message}; nothing was changed`, {
    hint: "`segue migrate` writes it in Segue's own form and keeps a copy",
  });
}

function invalid(problems: readonly Problem[]): SegueError {
  return new SegueError("settings_invalid", "the settings would not be valid; nothing was changed", {
    problems,
  });
}
