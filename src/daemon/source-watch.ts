import { createHash, type Hash } from "node:crypto";
import { readdirSync, statSync, type BigIntStats, type Dirent } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Random } from "../core/ids.ts";
import { PathWatcher } from "../watch/path-watcher.ts";
import { PathWatchers } from "../watch/path-watchers.ts";

/** A change counts once nothing else has changed for this long: an editor saves several files. */
const quietMs = 150;
/** What never becomes quiet counts after so many times `quietMs`. */
const longestRounds = 10;
/** Native events are hints; this often it is looked without one. */
const pollMs = 2000;
/** How often a watch looks whether it still watches what its path leads to. */
const rearmMs = 10_000;

/** Names in a watched folder that are never the program's source: what tools make, and what editors leave beside. */
function isNoise(name: string): boolean {
  return (
    /^(\.|#)/.test(name) ||
    /^(node_modules|dist|coverage|4913)$/.test(name) ||
    /(~|\.(swp|swx|tmp|bak|log))$/.test(name)
  );
}

/** What a `SourceWatch` needs. */
export interface SourceWatchParts {
  /** Files and folders, absolute; of a folder all that is in it counts, noise aside. None needs to exist. */
  paths: readonly string[];
  /** Files and folders in them that do not count. */
  except: readonly string[];
  clock: Clock;
  random: Random;
  /** Told once, where native events cannot be had: changes are then noticed within 2 s. */
  onFault: (thrown: unknown) => void;
}

/**
 * Tells when something changed in files and folders. What counts is what lies there, by a mark that another content
 * changes; events only tell when to look, so that none that is missed or doubled matters.
 */
export class SourceWatch {
  readonly #parts: SourceWatchParts;
  readonly #watchers: PathWatchers;
  readonly #except: ReadonlySet<string>;
  /** Of each path, as it was when it was last there. */
  readonly #marks = new Map<string, string>();
  #hinted = Promise.withResolvers<void>();
  #isFaultTold = false;

  constructor(parts: SourceWatchParts) {
    this.#parts = parts;
    this.#except = new Set(parts.except);
    this.#watchers = new PathWatchers({
      onHint: (kind) => {
        if (kind !== "poll") this.#hinted.resolve();
      },
      create: (path, onHint) =>
        new PathWatcher({
          path,
          clock: parts.clock,
          random: parts.random,
          pollMs: () => rearmMs,
          onHint,
          onFault: (thrown) => this.#tellFault(thrown),
        }),
    });
  }

  /**
   * The mark of what lies there now. Files that come and go while it looks are taken as they are met; a path that is
   * gone counts as it was: it is about to be replaced, and without it there is nothing to run.
   */
  look(): string {
    const watched: string[] = [];
    for (const path of this.#parts.paths) {
      const hash = createHash("sha256");
      if (this.#note(path, hash, watched)) this.#marks.set(path, hash.digest("base64"));
    }
    this.#watchers.watch(watched);
    return this.#parts.paths.map((path) => this.#marks.get(path)).join(" ");
  }

  /** Resolves once what lies there is no longer what `mark` stands for, and quiet; also when `signal` is aborted. */
  async changed(mark: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#hinted = Promise.withResolvers();
      if (this.look() !== mark && (await this.#untilQuiet(signal)) !== mark) return;
      await this.#untilHint(signal);
    }
  }

  /** Watches nothing any more. */
  stop(): void {
    this.#watchers.stop();
  }

  async #untilQuiet(signal: AbortSignal): Promise<string> {
    const { clock } = this.#parts;
    let mark = this.look();
    for (let round = 0; round < longestRounds && !signal.aborted; round++) {
      await clock.sleep(quietMs, signal);
      const next = this.look();
      if (next === mark) break;
      mark = next;
    }
    return mark;
  }

  async #untilHint(signal: AbortSignal): Promise<void> {
    const limit = new AbortController();
    const polled = this.#parts.clock.sleep(pollMs, AbortSignal.any([signal, limit.signal]));
    await Promise.race([this.#hinted.promise, polled]);
    limit.abort();
  }

  /** False where there is nothing. */
  #note(path: string, hash: Hash, watched: string[]): boolean {
    const stats = statAt(path);
    if (stats?.isDirectory()) this.#noteFolder(path, hash, watched);
    else {
      watched.push(path);
      if (stats) hash.update(markOf(path, stats));
    }
    return stats !== undefined;
  }

  /** Its files are watched through it; a symlink in it is watched by itself, and counts if it leads to a file. */
  #noteFolder(folder: string, hash: Hash, watched: string[]): void {
    watched.push(folder);
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (this.#except.has(path)) continue;
      if (entry.isDirectory()) this.#noteFolder(path, hash, watched);
      else {
        if (entry.isSymbolicLink()) watched.push(path);
        const stats = statAt(path);
        if (stats?.isFile()) hash.update(markOf(path, stats));
      }
    }
  }

  #tellFault(thrown: unknown): void {
    if (this.#isFaultTold) return;
    this.#isFaultTold = true;
    this.#parts.onFault(thrown);
  }
}

/** Another file, other content or another permission has another one. */
function markOf(path: string, { ino, size, mtimeNs, mode }: BigIntStats): string {
  return `${path}\0${ino} ${size} ${mtimeNs} ${mode}\0`;
}

/** Undefined where there is nothing, or nothing that may be looked at. */
function statAt(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** In the order of their names; none where the folder has gone or may not be read. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !isNoise(name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
