import type { Document, Seen } from "../history.ts";
import { documentIn, isDocument, leavesOf, numberOf, type NumberKey } from "./document.ts";
import type { Told } from "./judge.ts";
import { References } from "./references.ts";
import { expect } from "./violation.ts";

/** What the settings file said from a moment on. */
interface FileState {
  at: number;
  document: Document;
  /** As it is written, references and all; undefined where it means what it says. */
  written: Document | undefined;
  leaves: Map<string, string>;
}

/** A revision as the events told it. */
export interface Revision {
  revision: number;
  at: number;
  toldAt: number;
  /** What it may say: all states of the file that explain its changed keys equally well. Empty: not known. */
  documents: readonly Document[];
}

/**
 * Which document each revision is. Nobody tells; it is found by what the file said since the revision before and by
 * the keys that are told to have changed.
 */
export class Revisions {
  #states: FileState[] = [];
  /** Text of the file as it stands, since when, and whether it is to be put in force. */
  #file: { text: string | undefined; at: number; isGood: boolean } = { text: undefined, at: 0, isGood: true };
  /** What it means as it stands, references resolved; undefined where one leads nowhere. */
  #meant: Document | undefined;
  readonly #revisions: Revision[] = [];
  readonly #references = new References();
  /** What the newest revision may be. */
  #bases: readonly FileState[] = [];
  readonly #wasStoreFailing: (from: number, to: number) => boolean;

  constructor(wasStoreFailing: (from: number, to: number) => boolean) {
    this.#wasStoreFailing = wasStoreFailing;
  }

  /** The newest that was told; undefined before the first. */
  get newest(): Revision | undefined {
    return this.#revisions.at(-1);
  }

  /** The settings file as it stands. */
  get file(): { text: string | undefined; at: number; isGood: boolean } {
    return this.#file;
  }

  /** Whether what is in force may have what the references of the file lead to as they stand. */
  get mayHavePresentReferences(): boolean {
    if (!this.#meant || this.#bases.length === 0) return true;
    const meant = leavesOf(this.#meant);
    const referred = [...leavesOf(documentIn(this.#file.text ?? "") ?? {})]
      .filter(([, value]) => this.#references.has(value))
      .map(([path]) => path);
    return this.#bases.some(({ leaves }) => referred.every((path) => leaves.get(path) === meant.get(path)));
  }

  /** The file was edited, or written by the daemon. */
  see(seen: Seen): void {
    if (seen.kind === "born" || seen.kind === "edit" || seen.kind === "written")
      this.#meant = isDocument(seen.document) ? seen.document : undefined;
    if (seen.kind === "reference") this.#references.see(seen);
    else if (seen.kind === "born") this.#add(seen.document ?? {}, seen.at);
    else if (seen.kind === "edit") {
      this.#file = {
        text: isOfReference(seen) ? this.#file.text : seen.text,
        at: seen.at,
        isGood: seen.isGood,
      };
      if (isOfReference(seen)) this.#addWithTextsBefore(seen.at);
      if (seen.document !== undefined && seen.isGood) this.#add(seen.document, seen.at, this.#file.text);
    } else if (seen.kind === "written") {
      this.#file = { text: seen.text, at: seen.at, isGood: true };
      if (isDocument(seen.document)) this.#add(seen.document, seen.at, seen.text);
      this.#addAsItWasMeant(seen);
    }
  }

  /** Who reads a text in the moment in which another takes its place asks after that where its references lead. */
  #addWithTextsBefore(at: number): void {
    const before = this.#states.findLast((state) => state.at < at);
    const texts = this.#states.filter((state) => state === before || state.at === at);
    for (const { written } of texts)
      for (const document of written ? this.#references.resolved(written, at, at) : [])
        this.#add(document, at, JSON.stringify(written));
  }

  /** What the daemon writes it has read before it wrote it, with what references led to then. */
  #addAsItWasMeant({ at, text }: Extract<Seen, { kind: "written" }>): void {
    const written = documentIn(text);
    if (!written) return;
    for (const document of this.#references.resolved(written, at - longestWriteMs, at))
      this.#add(document, at, text);
  }

  /** A revision came into force. */
  changed({ at, revision, changedKeys, source }: Told<"settings.changed">, toldAt: number): void {
    const when = Date.parse(at);
    // 1. A start on a bad file takes the text accepted last, and asks anew where its references lead.
    const isAnew = source === "start" && this.mayLeadElsewhere(changedKeys);
    const anew = isAnew ? this.#accepted().flatMap((state) => this.#anew(state, when)) : [];
    // 2. Where there was never a revision and there is no file, the first one is the defaults.
    const first = this.#bases.length === 0 ? [stateOf({}, when)] : [];
    const known = [...this.#states.filter((state) => state.at <= when), ...anew, ...first];
    const scores = known.map((state) => this.#distance(state, changedKeys));
    const best = Math.min(...scores);
    // 3. An edit of the file says all that it is told to change, and so does what is found at a start.
    const isFound = source === "file" || source === "start";
    const isSaid = !isFound || best < unexplainedWeight || this.#bases.length === 0;
    expect(
      isSaid,
      "a bad edit changes nothing",
      () => `revision ${revision} changes what no good edit says: ${changedKeys.join()}`,
    );
    const fitting = known.filter((_, index) => scores[index] === best);
    this.#revisions.push({ revision, at: when, toldAt, documents: fitting.map((state) => state.document) });
    if (fitting.length === 0) return;
    this.#bases = fitting;
    const earliest = this.#states.findIndex((state) => fitting.includes(state));
    this.#states = this.#states.slice(Math.max(earliest, 0));
  }

  /** Whether these may be keys whose references alone lead elsewhere than they did: the text in force has one for each. */
  mayLeadElsewhere(keys: readonly string[]): boolean {
    return this.#accepted().some(({ written }) => {
      const leaves = leavesOf(written ?? {});
      return keys.every((key) => this.#references.has(leaves.get(key)));
    });
  }

  /** What revision N may say; empty where that is not known. */
  documentsOf(revision: number): readonly Document[] {
    return this.#revisions.find((each) => each.revision === revision)?.documents ?? [];
  }

  /** What may have been in force at any moment of a span; what the file says and was not told yet included. */
  between(from: number, to: number): Document[] {
    const documents = this.#revisions
      .filter(({ at }, index) => at <= to && this.#leftAt(index) >= from)
      .flatMap((revision) => revision.documents);
    const untold = this.#states.filter((state) => !this.#bases.includes(state) && state.at <= to);
    return [...documents, ...untold.map((state) => state.document)];
  }

  /** Until when a revision may have been in force: the one that takes its place bears the time at which it was asked for. */
  #leftAt(index: number): number {
    const next = this.#revisions[index + 1];
    if (!next) return Infinity;
    const { at, toldAt } = next;
    return this.#wasStoreFailing(at, at) ? at + longestRecordMs : Math.min(toldAt, at + longestWriteMs);
  }

  /** What a number of the settings may have been in a span. */
  numbersBetween(key: NumberKey, from: number, to: number): number[] {
    return this.between(from, to).map((document) => numberOf(document, key));
  }

  /** How badly a state explains the change from what is in force, whichever that is. */
  #distance(state: FileState, changedKeys: readonly string[]): number {
    if (this.#bases.length === 0) return distance(undefined, state, changedKeys);
    return Math.min(...this.#bases.map((base) => distance(base, state, changedKeys)));
  }

  /** What may have been accepted last: what means what is in force takes its place without a revision. */
  #accepted(): FileState[] {
    return [...new Set([...this.#bases, ...this.#states.filter((state) => this.#distance(state, []) === 0)])];
  }

  /** A state with what its references lead to at a moment. */
  #anew({ at, written }: FileState, when: number): FileState[] {
    if (!written) return [];
    return this.#references
      .resolved(written, when, when)
      .map((document) => ({ ...stateOf(document, at), written }));
  }

  #add(document: Document, at: number, text?: string): void {
    this.#states.push(stateOf(document, at, text));
  }
}

/** A write waits for a disk that is slow. */
const longestWriteMs = 2000;

/** A store that is slow or fails holds the record of a revision up, behind everything that was asked for before. */
const longestRecordMs = 10_000;

/** A key that is told and was not changed speaks against a state more than one that was changed and is not told. */
const unexplainedWeight = 1000;

/** Whether only a referenced file was edited: then the settings file says what it said. */
export function isOfReference({ how, text }: Extract<Seen, { kind: "edit" }>): boolean {
  return text === undefined && (how === "rename" || how === "in place");
}

/** How badly a state of the file explains a change of these keys. */
function distance(base: FileState | undefined, state: FileState, changedKeys: readonly string[]): number {
  const before = base?.leaves ?? new Map<string, string>();
  const changed = new Set<string>();
  for (const [path, value] of state.leaves) if (before.get(path) !== value) changed.add(path);
  for (const path of before.keys()) if (!state.leaves.has(path)) changed.add(path);
  const told = new Set(changedKeys);
  const untold = [...changed].filter((path) => !told.has(path)).length;
  const unexplained = changedKeys.filter((path) => !changed.has(path)).length;
  return untold + unexplainedWeight * unexplained;
}

function stateOf(document: Document, at: number, text?: string): FileState {
  return { at, document, written: writtenOf(document, text), leaves: leavesOf(document) };
}

function writtenOf(document: Document, text = ""): Document | undefined {
  const written = documentIn(text);
  return JSON.stringify(written) === JSON.stringify(document) ? undefined : written;
}
