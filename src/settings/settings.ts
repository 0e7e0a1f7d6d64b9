import { SegueError, errorText } from "../core/errors.ts";
import type { Problem } from "../core/errors.ts";
import type { NewEvent, Plan, RevisionSource } from "../core/events.ts";
import type { Files } from "../core/files.ts";
import type { HintKind } from "../watch/path-watcher.ts";
import type { Edit } from "./edit.ts";
import { type EditAnswer, type EditGround, type EditOptions, editInForce } from "./edit-in-force.ts";
import { FileStanding } from "./file-standing.ts";
import type { Flag } from "./flags.ts";
import { type Acceptable, type InForce, type InForceParts, RevisionInForce } from "./in-force.ts";
import { LookLoop } from "./look-loop.ts";
import { QuietTime } from "./quiet-time.ts";
import type { Reading } from "./read.ts";
import { type ExchangeFiles, replaceFile } from "./replace-file.ts";
import { copiesOf } from "./secrets.ts";
import { SettingsFile } from "./settings-file.ts";
import { type SettingsSource, hashOf } from "./source.ts";
import { maskUnusable } from "./unusable-text.ts";

/** What the keeper needs. */
export interface SettingsKeeperParts extends Omit<InForceParts, "flagKeys"> {
  path: string;
  env: Readonly<Record<string, string | undefined>>;
  flags: readonly Flag[];
  /** See `Replacement`. */
  exchange?: ExchangeFiles;
  /** By default those of the machine. */
  files?: Files;
  /** Called when the file was read anew; the files to watch may be others now. */
  onLooked: () => void;
  /** Stores events that belong to no revision. */
  tell: (events: readonly NewEvent[]) => void;
  /** A fault that is a bug; logged once, there. */
  onFault: (thrown: unknown) => void;
}

/** What stands in the settings file, secrets masked; `text` is null where there is none, or none that is UTF-8. */
export interface ShownFile {
  state: "in_force" | "waiting" | "rejected" | "unnoticed" | "missing";
  /** SHA-256 of its bytes. */
  hash: string | null;
  text: string | null;
}

/**
 * Keeps the settings in force up with the file. After the quiet time the bytes are read once; those same bytes are
 * hashed, parsed, judged and applied, or in `manual` mode wait to be applied. Edits by API are made by the same loop,
 * so that nothing changes the settings beside it.
 */
export class SettingsKeeper {
  readonly #parts: SettingsKeeperParts;
  readonly #file: SettingsFile;
  readonly #revision: RevisionInForce;
  readonly #loop: LookLoop;
  /** Finds secrets of settings that were in force in what is wrong with others. */
  readonly #copies = copiesOf([]);
  readonly #standing: FileStanding;
  /** What was judged last: equal bytes (and references) end the matter. */
  #judged = "";
  /** What was read last to see whether it is quiet, or whether there is anything new. */
  #read: SettingsSource | undefined;

  constructor(parts: SettingsKeeperParts) {
    this.#parts = parts;
    this.#file = new SettingsFile(parts);
    this.#standing = new FileStanding(this.#copies, parts.tell);
    const learnSecrets = (secrets: readonly string[]): void => {
      this.#copies.learn(secrets);
      parts.learnSecrets(secrets);
    };
    // It is kept on disk only after it is in force: what was wrong with the file, or waited, is over before that.
    const onChange: InForceParts["onChange"] = (inForce, plan) => {
      this.#standing.clear();
      parts.onChange(inForce, plan);
    };
    this.#revision = new RevisionInForce({
      ...parts,
      learnSecrets,
      onChange,
      flagKeys: this.#file.flagKeys,
    });
    const mark = (): string => {
      const source = this.#file.look();
      const found = this.#file.markOf(source);
      this.#read = source;
      if (found !== this.#judged) this.#prepare(source);
      return found;
    };
    const debounceMs = (): number => this.inForce.settings.reload.debounceMs;
    this.#loop = new LookLoop({
      quiet: new QuietTime({ clock: parts.clock, debounceMs, mark }),
      isNews: () => mark() !== this.#judged,
      isUnsettled: () => this.problems.length > 0,
      look: async (asked) => {
        // 1. Where nobody asked, what showed that it is quiet was read right before: those bytes are judged. Who asked
        //    may have written since.
        const source = asked === undefined ? this.#read : undefined;
        await this.#takeUp(asked, source);
        await parts.accepted.drop();
      },
      onFault: parts.onFault,
    });
  }

  /** The revision in force; there is one from `start` on. */
  get inForce(): InForce {
    return this.#revision.current;
  }

  /** What is wrong with the file as it stands; empty when it is what is in force, or waits to be. */
  get problems(): readonly Problem[] {
    return this.#standing.problems;
  }

  /** What applying the edit that waits would change now; null where none waits. */
  get waiting(): Plan | null {
    const { waiting } = this.#standing;
    return waiting ? this.#revision.planOf(waiting.reading) : null;
  }

  /** The settings file as it stands now, whether in force, waiting or wrong, as it may be shown. Changes nothing. */
  async shownFile(): Promise<ShownFile> {
    const source = this.#file.look();
    if (source.kind === "missing") return { state: "missing", hash: null, text: null };
    if (source.kind === "unreadable") return { state: "rejected", hash: null, text: null };
    const { hash, bytes } = source;
    if (hash === this.inForce.hash) return { state: "in_force", hash, text: this.inForce.reading.maskedText };
    const { waiting } = this.#standing;
    if (hash === waiting?.file?.hash) return { state: "waiting", hash, text: waiting.reading.maskedText };
    const state = this.problems.length > 0 ? "rejected" : "unnoticed";
    return { state, hash, text: maskUnusable(bytes, this.#copies) };
  }

  /** The files to watch: the settings file and those it refers to. */
  get files(): string[] {
    return this.#file.files;
  }

  /**
   * Puts the file in force, or where it is bad or missing the last accepted settings, or where there is no file and
   * never was the defaults. Throws `settings_invalid` where nothing good is left, and with `isStrict` for any problem.
   * With `goesOn` it is the program before that goes on in another: an edit that waits there waits here.
   */
  async start(isStrict: boolean, goesOn = false): Promise<void> {
    await this.#revision.settle((bytes) => this.#file.read(bytes));
    if (goesOn && (await this.#goOnWaiting())) return;
    const source = this.#file.look();
    const judged = this.#file.judge(source, false);
    this.#judged = this.#file.markOf(source);
    if (judged.kind === "ok" && source.kind === "file") return this.#begin(judged.reading, source);
    const problems = judged.kind === "problems" ? judged.problems : [];
    if (isStrict && problems.length > 0) throw this.#invalid(problems);
    const bytes = await this.#parts.accepted.read();
    if (bytes === undefined) {
      if (judged.kind === "problems") throw this.#invalid(problems);
      return this.#begin(judged.reading, null);
    }
    const last = this.#file.read(bytes);
    if (last.kind === "problems") throw this.#invalid(problems.length > 0 ? problems : last.problems);
    this.#file.follow(last);
    await this.#begin(last.reading, { bytes, hash: hashOf(bytes), modifiedAt: null });
    // 1. Where a file is in force its absence is a problem, now that there is something to fall back on.
    const bad = source.kind === "missing" ? this.#file.judge(source, true) : judged;
    if (bad.kind === "problems") this.#standing.reject(bad.problems, this.#judged);
  }

  /** Where edits wait to be applied: what was accepted last is in force, and the file is looked at like an edit. */
  async #goOnWaiting(): Promise<boolean> {
    const bytes = await this.#parts.accepted.read();
    const last = bytes && this.#file.read(bytes);
    if (!bytes || last?.kind !== "ok" || last.reading.settings.reload.mode !== "manual") return false;
    this.#file.follow(last);
    await this.#begin(last.reading, { bytes, hash: hashOf(bytes), modifiedAt: null });
    await this.#takeUp("file");
    return true;
  }

  /** Something may have happened to the file, or to one it refers to. Returns at once. */
  notice(kind: HintKind): void {
    this.#loop.notice(kind);
  }

  /** Reads the file now; resolves when what stood in it is in force, or waits, or was judged to be bad. */
  look(source: RevisionSource): Promise<void> {
    return this.#loop.ask(source, async () => {});
  }

  /** Edits the file and puts it in force; see `editInForce`. */
  edit(edit: Edit, options: EditOptions): Promise<EditAnswer> {
    return this.#loop.ask("file", () => editInForce(edit, options, this.#ground()));
  }

  /** Puts the edit that waits in force. Throws `settings_invalid` where the file is bad, else `nothing_waiting`. */
  apply(): Promise<void> {
    return this.#loop.ask("file", async () => {
      await this.#takeUp("file");
      if (this.problems.length > 0) throw this.#invalid(this.problems);
      const { waiting } = this.#standing;
      if (!waiting)
        throw new SegueError(
          "nothing_waiting",
          "no edit waits to be applied; what the file says is in force",
        );
      await this.#revision.accept({ ...waiting, isPlanned: true });
      this.#standing.endWait();
    });
  }

  /** Ends the loop; an edit that is being applied is applied, and one whose quiet time runs is read now. */
  stop(): Promise<void> {
    this.#read = undefined;
    return this.#loop.stop();
  }

  /** Reads the file once, unless `read` was; what is new is in force, or waits, or is told to be bad, when this resolves. */
  async #takeUp(asked: RevisionSource | undefined, read?: SettingsSource): Promise<SettingsSource> {
    const source = read ?? this.#file.look();
    this.#read = undefined;
    if (this.#file.markOf(source) === this.#judged && this.problems.length === 0) return source;
    const { hash, settings } = this.inForce;
    const judged = this.#file.judge(source, hash !== null);
    // The judgement may have found other files to look after: the mark is of what was read just now.
    this.#judged = this.#file.markOf(source);
    this.#standing.endWait();
    this.#parts.onLooked();
    if (judged.kind === "problems") {
      this.#standing.reject(judged.problems, this.#judged);
      return source;
    }
    const isSameFile = source.kind === "file" && source.hash === hash;
    const origin = asked === "signal" ? asked : isSameFile ? "reference" : "file";
    const file = source.kind === "file" ? source : null;
    const isManual = settings.reload.mode === "manual" && this.#revision.isOther(judged.reading);
    const acceptable: Acceptable = { reading: judged.reading, file, source: origin };
    if (isManual) this.#standing.wait(acceptable, this.#revision.planOf(judged.reading));
    else await this.#accept(acceptable);
    return source;
  }

  /** While it is waited whether it is quiet: what will probably be in force then is judged and laid ready. */
  #prepare(source: SettingsSource): void {
    if (source.kind !== "file" || this.inForce.settings.reload.mode === "manual") return;
    const judged = this.#file.readAhead(source);
    if (judged.kind === "ok" && this.#revision.isOther(judged.reading))
      this.#parts.accepted.prepare(source.bytes);
  }

  async #accept(acceptable: Acceptable): Promise<void> {
    const { revision } = this.inForce;
    try {
      await this.#revision.accept(acceptable);
    } catch (thrown) {
      // 3. What cannot be kept is not put in force; the next poll tries again.
      this.#judged = "";
      const problem = { path: "", message: `cannot be put in force: ${errorText(thrown)}` };
      return this.#standing.reject([problem], this.#judged);
    }
    this.#standing.approve(this.inForce.revision !== revision);
  }

  #ground(): EditGround {
    return {
      path: this.#parts.path,
      replace: (bytes, expected) => this.#replace(bytes, expected),
      inForce: () => this.inForce,
      problems: () => this.problems,
      isWaiting: () => this.#standing.waiting !== undefined,
      look: () => this.#takeUp("file"),
      read: (bytes) => this.#file.read(bytes),
      lastGood: () => this.#parts.accepted.read(),
      planOf: (reading) => this.#revision.planOf(reading),
      adopt: (acceptable) => this.#adopt(acceptable),
    };
  }

  /** What is written is put in force next: both are made durable at the same time. */
  async #replace(bytes: Uint8Array, expected: string | null): Promise<boolean> {
    const { path, exchange, files, accepted } = this.#parts;
    accepted.prepare(bytes);
    let isReplaced = false;
    try {
      isReplaced = await replaceFile(path, { bytes, expected, exchange, files });
      return isReplaced;
    } finally {
      if (!isReplaced) await accepted.drop();
    }
  }

  /** Our own write is no edit of somebody else's: the next look finds what was judged last. */
  async #adopt(acceptable: Acceptable): Promise<Plan> {
    const { revision } = this.inForce;
    const source = this.#file.look();
    const isOurs = source.kind === "file" && source.hash === acceptable.file?.hash;
    const file = isOurs ? source : acceptable.file;
    // 1. Until it is kept it counts as not judged: where it cannot be, or something else has changed meanwhile, the next
    //    poll tries again.
    this.#judged = "";
    const plan = await this.#revision.accept({ ...acceptable, file });
    this.#file.follow({ kind: "ok", reading: acceptable.reading });
    if (isOurs && this.#isAsRead(source.bytes)) this.#judged = this.#file.markOf(source);
    this.#standing.approve(this.inForce.revision !== revision);
    this.#parts.onLooked();
    return plan;
  }

  /** Whether bytes still mean what is in force: a file that they refer to may have changed since they were read. */
  #isAsRead(bytes: Uint8Array): boolean {
    if (this.inForce.reading.referencedFiles.length === 0) return true;
    const now = this.#file.read(bytes);
    return now.kind === "ok" && !this.#revision.isOther(now.reading);
  }

  /** The first revision in force of this start. */
  async #begin(reading: Reading, file: Acceptable["file"]): Promise<void> {
    const bytes = await this.#parts.accepted.read();
    const last = this.#file.read(bytes ?? null);
    await this.#revision.begin({ reading, file }, last.kind === "ok" ? last.reading : undefined);
  }

  #invalid(problems: readonly Problem[]): SegueError {
    return new SegueError("settings_invalid", `${this.#parts.path} cannot be used`, { problems });
  }
}
