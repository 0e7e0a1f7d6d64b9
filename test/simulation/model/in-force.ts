import { createHash } from "node:crypto";
import type { ShownSession } from "../../../src/http/answers.ts";
import type { Document, Seen } from "../history.ts";
import { destinationOf, numberOf, textOf } from "./document.ts";
import type { Judge, StoredEvent } from "./judge.ts";
import type { Requests } from "./requests.ts";
import { type Revisions, isOfReference } from "./revisions.ts";
import { expect } from "./violation.ts";

type Stored = Extract<Seen, { kind: "stored" }>;

/** A hint of an earlier edit may come so late, and then makes the quiet time longer. */
const latestHintMs = 10_000;
/** Nothing was said yet. */
const unhinted = { at: 0, step: 0, isTold: false, isLate: false };
/** What is said when edits are taken up again that were made during a drain. */
const drainEnds: ReadonlySet<StoredEvent["type"]> = new Set([
  "daemon.started",
  "daemon.restarted",
  "daemon.restart_failed",
]);

/** Judges which settings are in force, and which restarts are told to be due (sections 1.6, 1.9, 3.2, 3.4 and 5). */
export class SettingsInForce implements Judge {
  readonly #revisions: Revisions;
  readonly #requests: Requests;
  readonly #goodByHash = new Map<string, boolean>();
  /** Since when nothing but the file itself keeps the daemon from following it. */
  #calmSince = Infinity;
  /** When the process that runs came to serve. */
  #servesSince = Infinity;
  /** Faults that last. */
  readonly #faults = new Set<string>();
  /** Starts, and whether the file was to be put in force. */
  readonly #boots: { at: number; isGood: boolean }[] = [];
  /** The start that is under way: until it serves it may find what is put there meanwhile. */
  #starting: { at: number; isGood: boolean } | undefined;
  /** When a hint was last put off. */
  #lateAt = -Infinity;
  /** Until when, after watches were lost, a hint may be told to the watch of another file alone: the poll arms them anew. */
  #blindUntil = -Infinity;
  /** What native watching said last, in the step of that: of more edits at the same moment each has its own. */
  readonly #hinted = { settings: unhinted, reference: unhinted };
  /** Whether the daemon was told of the last edit at once, and of nothing later. */
  #isTold = false;

  constructor(revisions: Revisions, requests: Requests) {
    this.#revisions = revisions;
    this.#requests = requests;
  }

  see(seen: Seen): void {
    switch (seen.kind) {
      case "boot":
        this.#starting =
          seen.phase === "asked" ? { at: seen.at, isGood: this.#revisions.file.isGood } : undefined;
        if (this.#starting) this.#boots.push(this.#starting);
        this.#servesSince = this.#calmSince = seen.phase === "serving" ? seen.at : Infinity;
        return;
      case "crash":
      case "stop":
        this.#calmSince = Infinity;
        return;
      case "fault":
        if (seen.fault === "watch lost") this.#lostWatches(seen.phase, seen.at);
        // What becomes of providers, and of their code, keeps nobody from reading a file.
        if (seen.fault === "provider" || seen.fault === "code slow") return;
        if (seen.phase === "begins") this.#faults.add(seen.fault);
        else this.#faults.delete(seen.fault);
        if (this.#calmSince !== Infinity) this.#calmSince = seen.at;
        return;
      case "born":
      case "edit":
      case "written":
        return this.#learn(seen);
      case "hint":
        return this.#hint(seen);
      case "stored":
        return this.#judge(seen);
      default:
    }
  }

  event(event: StoredEvent): void {
    if (event.type === "daemon.draining") this.#calmSince = Infinity;
    else if (drainEnds.has(event.type)) this.#calmSince = Math.max(event.at, this.#servesSince);
    if (event.type !== "settings.changed") return;
    const { revision, source, changedKeys } = event.data;
    // What a reference leads to may be another at a start, however bad the file is.
    const mayBe = source !== "start" || revision === 1 || this.#revisions.mayLeadElsewhere(changedKeys);
    const isAsWas = mayBe || this.#wasGoodAt(event.at);
    expect(isAsWas, "a bad edit changes nothing", () => `a start on a bad file made revision ${revision}`);
    const isSaid = changedKeys.length > 0 || revision === 1;
    expect(isSaid, "events", () => `revision ${revision} is told to change nothing`);
    const before = this.#revisions.newest?.revision ?? 0;
    expect(revision === before + 1, "events", () => `revision ${revision} came after ${before}`);
    if (source === "file") this.#expectInTime(event.at);
  }

  /** Section 1.9: what has just come into force was edited no longer ago than its hint allows. */
  #expectInTime(at: number): void {
    const { at: editedAt } = this.#revisions.file;
    const documents = this.#revisions.between(editedAt, at);
    const mayBePutOff = editedAt - this.#lateAt < latestHintMs || editedAt <= this.#blindUntil;
    if (!this.#isHinted() || mayBePutOff || this.#mayWait(documents)) return;
    const mostMs = Math.max(...documents.map(hintedMs));
    const text = (): string => `the edit of ${editedAt} came into force at ${at}, though it was hinted at`;
    expect(at - editedAt <= mostMs, "noticed", text);
  }

  #lostWatches(phase: "begins" | "ends" | "once", at: number): void {
    const polls = this.#revisions.numbersBetween("reload.pollMs", at, at);
    this.#blindUntil = phase === "ends" ? at + Math.max(0, ...polls) * 1.1 : Infinity;
  }

  #hint({ of, fate, at, step }: Extract<Seen, { kind: "hint" }>): void {
    if (fate === "late") this.#lateAt = at;
    if (fate === "late" || at !== this.#revisions.file.at) this.#isTold = false;
    const before = this.#hinted[of];
    const isSame = before.at === at && before.step === step;
    const isTold = fate === "delivered" || fate === "doubled";
    this.#hinted[of] = {
      at,
      step,
      isTold: isTold || (isSame && before.isTold),
      isLate: fate === "late" || (isSame && before.isLate),
    };
  }

  /** Whether the last start before a moment was one on a good file; of several in that moment any. */
  #wasGoodAt(at: number): boolean {
    const latest = this.#boots.findLast((boot) => boot.at <= at)?.at;
    return this.#boots.some((boot) => boot.at === latest && boot.isGood);
  }

  #learn(seen: Extract<Seen, { kind: "born" | "edit" | "written" }>): void {
    const isReferred = seen.kind === "edit" && isOfReference(seen);
    const { at, step, isTold, isLate } = this.#hinted[isReferred ? "reference" : "settings"];
    this.#isTold = isTold && !isLate && at === seen.at && step === seen.step;
    // 1. The same text may be bad without the file that it refers to, and good with it.
    const { text } = this.#revisions.file;
    if (this.#starting && (seen.kind !== "edit" || seen.isGood)) this.#starting.isGood = true;
    if (seen.kind === "born" || text === undefined) return;
    const hash = hashOf(text);
    const isGood = seen.kind === "written" || seen.isGood || this.#goodByHash.get(hash) === true;
    this.#goodByHash.set(hash, isGood);
  }

  #judge(stored: Stored): void {
    const { status, daemon } = stored;
    if (daemon.phase !== "serving") {
      this.#calmSince = stored.at;
      return;
    }
    const told = this.#revisions.newest?.revision ?? 0;
    expect(
      status.revision >= told,
      "fresh",
      () => `revision ${status.revision} is in force, told was ${told}`,
    );
    this.#expectGood(stored);
    this.#expectNoticed(stored);
    this.#expectPending(stored);
  }

  /** Section 1.6: what is in force was good. */
  #expectGood({ status }: Stored): void {
    const isGood = status.hash === null || (this.#goodByHash.get(status.hash) ?? true);
    expect(isGood, "a bad edit changes nothing", () => `revision ${status.revision} is a bad edit`);
  }

  /** Section 1.9: a valid edit is in force in time, a bad one is told. */
  #expectNoticed({ status, at }: Stored): void {
    const documents = this.#revisions.between(at, at);
    const { text, at: editedAt, isGood } = this.#revisions.file;
    const since = Math.max(editedAt, this.#calmSince);
    if (this.#mayWait(documents) || editedAt === 0) return;
    if (at - since <= Math.max(...documents.map((document) => this.#noticedMs(document, status.watching))))
      return;
    if (isGood && text !== undefined)
      expect(
        status.hash === hashOf(text) && this.#revisions.mayHavePresentReferences,
        "noticed",
        () => `the edit of ${editedAt} is not in force at ${at}`,
      );
    else
      expect(status.problems.length > 0, "noticed", () => `the bad edit of ${editedAt} is not told at ${at}`);
  }

  /** How long that may take: with native events the quiet time and a second, by polling the poll as well. */
  #noticedMs(document: Document, watching: "native" | "polling"): number {
    if (watching === "native" && this.#isHinted()) return hintedMs(document);
    const debounceMs = numberOf(document, "reload.debounceMs");
    return numberOf(document, "reload.pollMs") * 1.5 + debounceMs * 2 + 1000;
  }

  /** Whether nothing kept the daemon from following the last edit, which it was told of. */
  #isHinted(): boolean {
    return this.#isTold && this.#calmSince < this.#revisions.file.at && this.#faults.size === 0;
  }

  /** Whether an edit may wait: for a store that fails, or for whoever applies it. */
  #mayWait(documents: readonly Document[]): boolean {
    const isFailing = [...this.#faults].some(
      (fault) => fault.startsWith("store") || fault === "commit fails",
    );
    const isManual = documents.some((document) => textOf(document, "reload.mode", "auto") === "manual");
    return isFailing || isManual || documents.length === 0;
  }

  /** Section 3.4: what is pending follows from what is and what should be. */
  #expectPending(stored: Stored): void {
    const { status, sessions } = stored;
    const listed = new Set(status.pendingRestarts.map(({ session, reason }) => `${session} ${reason}`));
    const shown = new Set(
      sessions.flatMap(({ id, pendingRestart: due }) => (due ? [`${id} ${due.reason}`] : [])),
    );
    const isSame = listed.size === shown.size && [...listed].every((each) => shown.has(each));
    expect(isSame, "pending restarts", () => `listed are ${[...listed].join()}, shown ${[...shown].join()}`);
    if (this.#revisions.newest?.revision !== status.revision) return;
    const documents = this.#revisions.documentsOf(status.revision);
    for (const session of sessions)
      if (session.state !== "unloaded") this.#expectDue(session, stored, documents);
  }

  #expectDue(session: ShownSession, { status, at }: Stored, documents: readonly Document[]): void {
    const { id, overrides, provider, model, pendingRestart: due, bindingRevision } = session;
    const isUnderWay =
      this.#requests.between("PATCH", `/api/sessions/${encodeURIComponent(id)}`, at, at).length > 0;
    if (documents.length === 0 || isUnderWay) return;
    const wanted = documents.map((document) => destinationOf(document, overrides));
    const differs = wanted.map(
      (each) => each.provider !== provider || (each.model !== undefined && each.model !== model),
    );
    const isHeld = status.held.length > 0;
    if (!due) {
      const isThere = differs.includes(false) || isHeld;
      expect(isThere, "pending restarts", () => `${id} is under ${provider} ${model} and no restart is due`);
      const isNewest = bindingRevision === status.revision || isHeld;
      expect(
        isNewest,
        "pending restarts",
        () => `${id} is under revision ${bindingRevision} of ${status.revision}, and no restart is due`,
      );
      return;
    }
    const isOther = wanted.some((each) => each.provider !== provider);
    const isTrue = due.reason !== "model_changed" || differs.includes(true) || isHeld;
    expect(isTrue, "pending restarts", () => `${id} is to restart for its model, which is ${model} already`);
    const isNamed = due.reason === "provider_changed" || !isOther || differs.includes(false) || isHeld;
    expect(
      isNamed,
      "pending restarts",
      () => `${id} is to restart for ${due.reason}, its provider is another`,
    );
  }
}

function hintedMs(document: Document): number {
  return numberOf(document, "reload.debounceMs") + 1000;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
