import type { Problem } from "../core/errors.ts";
import { type Assembled, assemble, chosenProvider, gather, type Given, isTolerable } from "./assemble.ts";
import { crossFindings } from "./checks.ts";
import { type Document, parseDocument } from "./document.ts";
import { type Entries, readEntries } from "./entries.ts";
import { type Finding, placeFindings } from "./finding.ts";
import { type Flag, readFlags } from "./flags.ts";
import { type Judged, judge } from "./judged.ts";
import { type LegacyEntries, readLegacy } from "./legacy.ts";
import { maskSettings, maskText } from "./masking.ts";
import { type Outside, References } from "./references.ts";
import type { Settings } from "./schema.ts";
import { copiesOf, redactProblems, secretsOf } from "./secrets.ts";
import { type Sources, sourcesOf } from "./sources.ts";

/** A settings file and what is around it. */
export interface SettingsInput extends Outside {
  /** Null where there is no file: defaults. */
  bytes: Uint8Array | null;
  /** They beat the file. */
  flags: readonly Flag[];
}

/** Settings that can be put in force. */
export interface Reading {
  settings: Settings;
  /** The same without the flags; the same object where there are none. For plans: what a flag masks. */
  fromFile: Settings;
  sources: Sources;
  /** Every value in the settings that must not be seen, for `Secrets.learn`. */
  secrets: readonly string[];
  /** Absolute paths of the files that are referred to. */
  referencedFiles: readonly string[];
  /** Names of the environment variables that are referred to, default keys included. */
  referencedVariables: readonly string[];
  /** Effective settings with secrets masked, references as written: what may be shown. */
  shown: Record<string, unknown>;
  /** The text of the file with its secrets masked; null where there is no file. */
  maskedText: string | null;
  /** Where the file is claude-mem's: its keys that mean nothing here. Undefined for a file of Segue's own. */
  legacy: { ignored: readonly string[] } | undefined;
}

/** What reading a settings file gives. */
export type ReadResult =
  | { kind: "ok"; reading: Reading }
  /** The files are to be watched here too: one that comes back may be all that is missing. */
  | { kind: "problems"; problems: Problem[]; referencedFiles?: readonly string[] };

/**
 * Reads settings: parses, resolves references, judges, fills in defaults. Pure but for `readFile`; takes time in
 * proportion to the bytes. Of a file that cannot be used it tells every problem, in the order of the text.
 */
export function readSettings(input: SettingsInput): ReadResult {
  const parsed = input.bytes === null ? undefined : parseDocument(input.bytes);
  if (parsed && "broken" in parsed) {
    const { findings, text } = parsed.broken;
    return { kind: "problems", problems: placeFindings(findings, text) };
  }
  return judgeDocument(parsed?.document, input);
}

function judgeDocument(document: Document | undefined, input: SettingsInput): ReadResult {
  const references = new References(input);
  const legacy = document && readLegacy(document.root);
  const entries = legacy ?? (document ? readEntries(document.root) : noEntries());
  const flags = readFlags(input.flags);
  const inFile = entries.leaves.map((leaf) => judge(leaf, references));
  const all = [...inFile, ...flags.leaves.map((leaf) => judge(leaf, references))];
  const given = gather(all, entries.declared);
  const assembled = assemble(given, references);
  const findings = [
    ...entries.findings,
    ...flags.findings,
    ...faultsOf(all, given),
    ...crossFindings(given, assembled.settings, legacy !== undefined),
  ];
  if (findings.length > 0) {
    const copies = copiesOf(secretsOf(assembled.settings, all));
    const problems = redactProblems(placeFindings(findings, document?.text ?? ""), copies);
    return { kind: "problems", problems, referencedFiles: references.files };
  }
  const fromFile =
    all.length === inFile.length ? assembled : assemble(gather(inFile, entries.declared), references);
  const judged = { all, inFile, given, assembled, fromFile, legacy };
  return { kind: "ok", reading: toReading(judged, document, references) };
}

function noEntries(): Entries {
  return { leaves: [], declared: new Map(), findings: [] };
}

function faultsOf(values: readonly Judged[], given: Given): Finding[] {
  const chosen = chosenProvider(given);
  return values.flatMap((judged) => (judged.fault && !isTolerable(judged, chosen) ? [judged.fault] : []));
}

interface JudgedFile {
  all: readonly Judged[];
  inFile: readonly Judged[];
  given: Given;
  assembled: Assembled;
  fromFile: Assembled;
  legacy: LegacyEntries | undefined;
}

function toReading(judged: JudgedFile, document: Document | undefined, references: References): Reading {
  const { all, inFile, given, assembled, fromFile, legacy } = judged;
  const unused = legacy?.unusedSecrets ?? [];
  const secrets = [...secretsOf(assembled.settings, all), ...unused.map(({ value }) => String(value))];
  const copies = copiesOf(secrets);
  let sources: Sources | undefined;
  let shown: Record<string, unknown> | undefined;
  return {
    settings: assembled.settings,
    fromFile: fromFile.settings,
    // Made when somebody asks, which of most readings nobody does.
    get sources() {
      return (sources ??= sourcesOf(given, assembled));
    },
    get shown() {
      return (shown ??= maskSettings(given, assembled, copies));
    },
    secrets,
    referencedFiles: references.files,
    referencedVariables: references.variables,
    maskedText: document ? maskText(document, inFile, unused, copies) : null,
    legacy: legacy && { ignored: legacy.ignored },
  };
}
