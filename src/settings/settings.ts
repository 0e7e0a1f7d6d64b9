import { readFileSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { SegueError, errorText } from "../core/errors.ts";
import type { Problem } from "../core/errors.ts";
import type { NewEvent, Plan, RevisionSource } from "../core/events.ts";
import type { Store } from "../store/store.ts";
import type { HintKind } from "../watch/path-watcher.ts";
import type { AcceptedSettings } from "./accepted.ts";
import { effectiveFingerprint } from "./fingerprint.ts";
import type { Flag } from "./flags.ts";
import { planChange } from "./plan.ts";
import { QuietTime } from "./quiet-time.ts";
import { type Reading, type ReadResult, readSettings } from "./read.ts";
import type { Settings } from "./schema.ts";
import { type SettingsSource, hashOf, readSource } from "./source.ts";

/** A revision in force. */
export interface InForce {
  revision: number;
  /** Milliseconds since the Unix epoch. */
  appliedAt: number;
  reading: Reading;
  settings: Settings;
  /** SHA-256 of the accepted bytes; null where no file stood behind them. */
  hash: string | null;
  modifiedAt: number | null;
}

/** A file that was in force and is no longer there. */
const missingFile: Problem = {
  path: "",
  message: "is missing; the last good settings stay in force until it is there again",
};

/** What the keeper needs. */
export interface SettingsKeeperParts {
  path: string;
  accepted: AcceptedSettings;
  env: Readonly<Record<string, string | undefined>>;
  flags: readonly Flag[];
  clock: Clock;
  store: Store;
  /** Gets the secrets of settings before anything else sees them. */
  learnSecrets: (secrets: readonly string[]) => void;
  /** Which loaded sessions a change would affect. */
  countAffected: (settings: Settings) => Plan["sessions"];
  /** Called, synchronously, right after another revision came into force. */
  onChange: (inForce: InForce, plan: Plan) => void;
  /** Called when the file was read anew; the files to watch may be others now. */
  onLooked: () => void;
  /** Stores events that belong to no revision. */
  tell: (events: readonly NewEvent[]) => void;
  /** A fault that is a bug; logged once, there. */
  onFault: (thrown: unknown) => void;
}

/** Who waits for the next look at the file. */
interface Waiter {
  source: RevisionSource;
  resolve: () => void;
}

/**
 * The settings in force, and the loop that keeps them up with the file: one worker, one dirty flag. After the quiet
 * time the bytes are read once; those same bytes are hashed, parsed, judged and applied; then the loop looks again
 * whether anything has happened meanwhile. There is no way out of it but `stop`.
 */
export class SettingsKeeper {
  readonly #parts: SettingsKeeperParts;
  readonly #quiet: QuietTime;
  #inForce: InForce | undefined;
  #problems: readonly Problem[] = [];
  /** What was judged last: equal bytes (and references) end the matter. */
  #judged = "";
  /** Files that the text last judged refers to: they are watched even where it was bad for want of one of them. */
  #referencedFiles: readonly string[] = [];
  /** The content that was last told to be bad, so that it is told once. */
  #rejected = "";
  #isDirty = false;
  #waiters: Waiter[] = [];
  #worker: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: SettingsKeeperParts) {
    this.#parts = parts;
    this.#quiet = new QuietTime(parts.clock, () => this.inForce.settings.reload.debounceMs);
  }

  /** The revision in force; there is one from `start` on. */
  get inForce(): InForce {
    if (!this.#inForce) throw new Error("the settings were asked for before they were read");
    return this.#inForce;
  }

  /** What is wrong with the file as it stands; empty when it is what is in force. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** The files to watch: the settings file and those it refers to. */
  get files(): string[] {
    return [this.#parts.path, ...this.#referencedFiles];
  }

  /**
   * Puts the file in force, or where it is bad or missing the last accepted settings, or where there is no file and
   * never was the defaults. Throws `settings_invalid` where nothing good is left, and with `isStrict` for any problem.
   */
  async start(isStrict: boolean): Promise<void> {
    const source = await readSource(this.#parts.path);
    const judged = this.#judge(source);
    this.#judged = this.#markOf(source);
    if (judged.kind === "ok" && source.kind === "file") return this.#begin(judged.reading, source);
    const problems = judged.kind === "problems" ? judged.problems : [];
    if (isStrict && problems.length > 0) throw this.#invalid(problems);
    const bytes = await this.#parts.accepted.read();
    if (bytes === undefined) {
      if (judged.kind === "problems") throw this.#invalid(problems);
      return this.#begin(judged.reading, null);
    }
    const last = this.#read(bytes);
    if (last.kind === "problems") throw this.#invalid(problems.length > 0 ? problems : last.problems);
    await this.#begin(last.reading, { bytes, hash: hashOf(bytes), modifiedAt: null });
    // 1. Where a file is in force its absence is a problem, now that there is something to fall back on.
    if (source.kind === "missing") this.#reject([missingFile]);
    else if (problems.length > 0) this.#reject(problems);
  }

  /** Something may have happened to the file, or to one it refers to. Returns at once. */
  notice(kind: HintKind): void {
    if (this.#isStopped) return;
    if (kind === "event") this.#quiet.touch();
    this.#isDirty = true;
    this.#work();
  }

  /** Reads the file now; resolves when what stood in it is in force, or judged to be bad. */
  look(source: RevisionSource): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ source, resolve });
      this.#quiet.end();
      this.#isDirty = true;
      this.#work();
    });
  }

  /** Ends the loop; an edit that is being applied is applied. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#quiet.end();
    await this.#worker;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  #work(): void {
    this.#worker ??= this.#loop()
      .catch(this.#parts.onFault)
      .finally(() => {
        this.#worker = undefined;
        // 1. A hint that came while the loop was ending would otherwise be lost.
        if (this.#isDirty && !this.#isStopped) this.#work();
      });
  }

  async #loop(): Promise<void> {
    while (this.#isDirty && !this.#isStopped) {
      this.#isDirty = false;
      if (!(await this.#isWorthReading())) continue;
      await this.#quiet.passed();
      // 2. Who asks from here on asks for a later look: the bytes are about to be read.
      const waiters = this.#waiters.splice(0);
      try {
        await this.#takeUp(waiters[0]?.source);
      } catch (thrown) {
        this.#parts.onFault(thrown);
      }
      for (const waiter of waiters) waiter.resolve();
    }
  }

  /** A poll costs no quiet time unless it finds something; what it finds is as new as an event. */
  async #isWorthReading(): Promise<boolean> {
    if (this.#quiet.isRunning || this.#waiters.length > 0) return true;
    const source = await readSource(this.#parts.path);
    if (this.#markOf(source) === this.#judged && this.#problems.length === 0) return false;
    if (this.#markOf(source) !== this.#judged) this.#quiet.touch();
    return true;
  }

  async #takeUp(asked: RevisionSource | undefined): Promise<void> {
    const source = await readSource(this.#parts.path);
    const mark = this.#markOf(source);
    if (mark === this.#judged && this.#problems.length === 0) return;
    const isSameFile = source.kind === "file" && source.hash === this.inForce.hash;
    const judged = this.#judgeLater(source);
    // The judgement may have found other files to look after: the mark is of what was read just now.
    this.#judged = this.#markOf(source);
    this.#parts.onLooked();
    if (judged.kind === "problems") return this.#reject(judged.problems);
    const origin = asked === "signal" ? asked : isSameFile ? "reference" : "file";
    const { revision } = this.inForce;
    try {
      await this.#accept(judged.reading, source.kind === "file" ? source : null, origin);
    } catch (thrown) {
      // 3. What cannot be kept is not put in force; the next poll tries again.
      this.#judged = "";
      this.#reject([{ path: "", message: `cannot be put in force: ${errorText(thrown)}` }]);
      return;
    }
    const wasBad = this.#problems.length > 0;
    this.#problems = [];
    this.#rejected = "";
    if (wasBad && this.inForce.revision === revision)
      this.#parts.tell([{ type: "settings.recovered", data: {} }]);
  }

  /** What tells one state of the outside from another: the file's bytes, and those of the files it refers to. */
  #markOf(source: SettingsSource): string {
    if (source.kind !== "file") return source.kind === "missing" ? "missing" : `unreadable ${source.reason}`;
    return [source.hash, ...this.#referencedFiles.map(hashOfFile)].join(" ");
  }

  #judge(source: SettingsSource): ReadResult {
    switch (source.kind) {
      case "file":
        return this.#read(source.bytes);
      case "missing":
        return this.#read(null);
      case "unreadable":
        return { kind: "problems", problems: [{ path: "", message: `cannot be read: ${source.reason}` }] };
    }
  }

  /** Once a file was in force its absence is a problem, not a wish for defaults. */
  #judgeLater(source: SettingsSource): ReadResult {
    if (source.kind !== "missing" || this.inForce.hash === null) return this.#judge(source);
    return { kind: "problems", problems: [missingFile] };
  }

  #read(bytes: Uint8Array | null): ReadResult {
    const { path, env, flags } = this.#parts;
    const result = readSettings({ bytes, path, env, flags, readFile: (name) => readFileSync(name) });
    const { referencedFiles } = result.kind === "ok" ? result.reading : result;
    if (referencedFiles) this.#referencedFiles = referencedFiles;
    return result;
  }

  /** The first revision in force of this start: a new one only where the effective settings are not the last ones. */
  async #begin(
    reading: Reading,
    file: { bytes: Uint8Array; hash: string; modifiedAt: number | null } | null,
  ): Promise<void> {
    const latest = await this.#parts.store.revisions.latest();
    const before = await this.#lastReading();
    this.#parts.learnSecrets(reading.secrets);
    if (latest && latest.fingerprint === effectiveFingerprint(reading.settings)) {
      this.#inForce = {
        revision: latest.revision,
        appliedAt: latest.at,
        reading,
        settings: reading.settings,
        hash: file?.hash ?? null,
        modifiedAt: file?.modifiedAt ?? null,
      };
      return;
    }
    await this.#putInForce(reading, file, "start", before);
  }

  /** The settings that the data folder knew last, to say what a start changed; defaults where it knows none. */
  async #lastReading(): Promise<Reading | undefined> {
    const bytes = await this.#parts.accepted.read();
    const last = this.#read(bytes ?? null);
    return last.kind === "ok" ? last.reading : undefined;
  }

  async #accept(
    reading: Reading,
    file: { bytes: Uint8Array; hash: string; modifiedAt: number } | null,
    source: RevisionSource,
  ): Promise<void> {
    this.#parts.learnSecrets(reading.secrets);
    if (effectiveFingerprint(reading.settings) === effectiveFingerprint(this.inForce.settings)) {
      if (file && file.hash !== this.inForce.hash) await this.#parts.accepted.write(file.bytes);
      this.#inForce = {
        ...this.inForce,
        reading,
        hash: file?.hash ?? null,
        modifiedAt: file?.modifiedAt ?? null,
      };
      return;
    }
    await this.#putInForce(reading, file, source, this.inForce.reading);
  }

  async #putInForce(
    reading: Reading,
    file: { bytes: Uint8Array; hash: string; modifiedAt: number | null } | null,
    source: RevisionSource,
    before: Reading = reading,
  ): Promise<void> {
    const { clock, store, accepted, countAffected, onChange, flags } = this.#parts;
    const flagKeys = flags.map((flag) => flag.key);
    const fromFile = { before: before.fromFile, after: reading.fromFile };
    const change = planChange(before.settings, reading.settings, flagKeys, fromFile);
    const plan: Plan = { ...change, sessions: countAffected(reading.settings) };
    const at = clock.now();
    const fingerprint = effectiveFingerprint(reading.settings);
    await accepted.write(file?.bytes ?? null);
    const revision = await store.revisions.record(
      { at, source, changedKeys: plan.changedKeys, fingerprint, text: reading.maskedText },
      (number) => changeEvents(number, source, plan),
    );
    // 1. From the commit of the revision to here nothing else has run: no turn starts under an older one.
    this.#inForce = {
      revision,
      // Later than the event's own time by the commit: turns that began in between were right to run under the older.
      appliedAt: clock.now(),
      reading,
      settings: reading.settings,
      hash: file?.hash ?? null,
      modifiedAt: file?.modifiedAt ?? null,
    };
    onChange(this.#inForce, plan);
  }

  #reject(problems: readonly Problem[]): void {
    this.#problems = problems;
    const content = JSON.stringify([this.#judged, problems]);
    if (content === this.#rejected) return;
    this.#rejected = content;
    this.#parts.tell([{ type: "settings.rejected", data: { problems } }]);
  }

  #invalid(problems: readonly Problem[]): SegueError {
    return new SegueError("settings_invalid", `${this.#parts.path} cannot be used`, { problems });
  }
}

function changeEvents(revision: number, source: RevisionSource, plan: Plan): NewEvent[] {
  const { changedKeys, live, restart, sessions } = plan;
  return [
    { type: "settings.planned", data: { plan } },
    {
      type: "settings.changed",
      data: {
        revision,
        source,
        changedKeys,
        appliedImmediately: live,
        pendingRestarts: sessions.now + sessions.atBoundary,
        unaffected: sessions.unaffected,
        daemonRestart: restart.length > 0,
      },
    },
  ];
}

function hashOfFile(path: string): string {
  try {
    return hashOf(readFileSync(path));
  } catch {
    return "missing";
  }
}
