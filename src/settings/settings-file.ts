import type { Problem } from "../core/errors.ts";
import { type Files, systemFiles } from "../core/files.ts";
import type { Flag } from "./flags.ts";
import { type Reading, type ReadResult, readSettings } from "./read.ts";
import { type SettingsSource, hashOf, readSource } from "./source.ts";

/** A file that was in force and is no longer there. */
const missingFile: Problem = {
  path: "",
  message: "is missing; the last good settings stay in force until it is there again",
};

/** The settings file and what is around it: looked at, told apart and judged; never written. */
export class SettingsFile {
  readonly path: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #flags: readonly Flag[];
  readonly #files: Files;
  /** Files that the text last judged refers to: they are watched even where it was bad for want of one of them. */
  #referencedFiles: readonly string[] = [];
  /** The good settings that were read last, and what they were read from. */
  #good: { mark: string; reading: Reading } | undefined;

  constructor(parts: {
    path: string;
    env: Readonly<Record<string, string | undefined>>;
    flags: readonly Flag[];
    /** By default those of the machine. */
    files?: Files;
  }) {
    this.path = parts.path;
    this.#env = parts.env;
    this.#flags = parts.flags;
    this.#files = parts.files ?? systemFiles;
  }

  /** The keys that flags set. */
  get flagKeys(): string[] {
    return this.#flags.map((flag) => flag.key);
  }

  /** The files to watch: the settings file and those it refers to. */
  get files(): string[] {
    return [this.path, ...this.#referencedFiles];
  }

  /** Reads the bytes, once. */
  look(): SettingsSource {
    return readSource(this.path, this.#files);
  }

  /** What tells one state of the outside from another: the file's bytes, and those of the files it refers to. */
  markOf(source: SettingsSource): string {
    if (source.kind !== "file") return source.kind === "missing" ? "missing" : `unreadable ${source.reason}`;
    return this.#markWith(source.hash, this.#referencedFiles);
  }

  /**
   * Judges what was read; from then on the files it refers to are watched. Once a file was in force (`hadFile`) its
   * absence is a problem, not a wish for defaults.
   */
  judge(source: SettingsSource, hadFile: boolean): ReadResult {
    if (source.kind === "unreadable")
      return { kind: "problems", problems: [{ path: "", message: `cannot be read: ${source.reason}` }] };
    if (source.kind === "missing" && hadFile) return { kind: "problems", problems: [missingFile] };
    const result = source.kind === "file" ? this.readAhead(source) : this.read(null);
    this.follow(result);
    return result;
  }

  /** What a file means that may be judged soon: its judgement is then the same. Changes nothing. */
  readAhead({ bytes, hash }: Extract<SettingsSource, { kind: "file" }>): ReadResult {
    const { mark, reading } = this.#good ?? {};
    if (reading && this.#markWith(hash, reading.referencedFiles) === mark) return { kind: "ok", reading };
    const result = this.read(bytes);
    if (result.kind === "ok") {
      const { reading } = result;
      this.#good = { mark: this.#markWith(hash, reading.referencedFiles), reading };
    }
    return result;
  }

  /** What bytes would mean if they stood in the file; null for no file. Changes nothing. */
  read(bytes: Uint8Array | null): ReadResult {
    const readFile = (name: string): Uint8Array => this.#files.readFileSync(name);
    return readSettings({ bytes, path: this.path, env: this.#env, flags: this.#flags, readFile });
  }

  /** Takes a judgement for that of the file: what it refers to is watched. */
  follow(result: ReadResult): void {
    const { referencedFiles } = result.kind === "ok" ? result.reading : result;
    if (referencedFiles) this.#referencedFiles = referencedFiles;
  }

  #markWith(hash: string, referencedFiles: readonly string[]): string {
    return [hash, ...referencedFiles.map((file) => this.#hashOf(file))].join(" ");
  }

  #hashOf(path: string): string {
    try {
      return hashOf(this.#files.readFileSync(path));
    } catch {
      return "missing";
    }
  }
}
