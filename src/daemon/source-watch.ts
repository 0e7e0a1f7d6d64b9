import { basename, dirname, relative } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Random } from "../core/ids.ts";
import { compareEntries, folderMark, type Entries, type EntryChanges } from "../watch/entries.ts";
import { EntryWatcher } from "../watch/entry-watcher.ts";
import type { SharedWatchers } from "../watch/shared-watchers.ts";

/** A change counts once nothing else has changed for this long: an editor saves several files. */
const quietMs = 150;
/** What never becomes quiet counts after so many times `quietMs`. */
const longestRounds = 10;
/** Native events are hints; this often it is looked without one. */
const pollMs = 2000;
/** One save is several events. */
const batchMs = 10;
/** What writes thousands of files does not keep the watch busy with as many looks. */
const everyMs = 100;
/** As many files are named when something changed; the rest is counted. */
const mostNamed = 3;

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
  shared: SharedWatchers;
  clock: Clock;
  random: Random;
  /** Told once, where native events cannot be had: changes are then noticed within 2 s. */
  onFault: (thrown: unknown) => void;
}

/** Tells when something changed in the files that a program is made of, and which. */
export class SourceWatch {
  readonly #parts: SourceWatchParts;
  readonly #watcher: EntryWatcher;
  /** Of each path, as it was when it was last there. */
  readonly #lastThere = new Map<string, Entries>();
  #files: Entries = new Map();
  #changed = Promise.withResolvers<void>();
  #isFaultTold = false;

  constructor(parts: SourceWatchParts) {
    const { paths, shared, clock, random } = parts;
    const except = new Set(parts.except);
    this.#parts = parts;
    this.#watcher = new EntryWatcher({
      paths,
      shared,
      clock,
      random,
      pollMs,
      batchMs,
      everyMs,
      isLeftOut: (name, path) => isNoise(name) || except.has(path),
      onChange: () => this.#changed.resolve(),
      onFault: (thrown) => this.#tellFault(thrown),
    });
  }

  /**
   * The files that lie there now; the same answer as before where nothing changed. A path that is gone counts as it
   * was: it is about to be replaced, and without it there is nothing to run.
   */
  look(): Entries {
    this.#watcher.start();
    const entries = this.#watcher.look();
    for (const path of this.#parts.paths)
      if (entries.has(path)) this.#lastThere.set(path, filesIn(path, entries));
    const files = new Map([...this.#lastThere.values()].flatMap((found) => [...found]));
    if (compareEntries(this.#files, files)) this.#files = files;
    return this.#files;
  }

  /** Resolves with what is new since `before` once it is quiet, in words; with undefined when `signal` is aborted. */
  async changed(before: Entries, signal: AbortSignal): Promise<string | undefined> {
    while (!signal.aborted) {
      this.#changed = Promise.withResolvers();
      const changes =
        compareEntries(before, this.look()) && compareEntries(before, await this.#untilQuiet(signal));
      if (signal.aborted) break;
      if (changes) return changesText(changes, this.#parts.paths);
      await this.#untilChange(signal);
    }
    return undefined;
  }

  /** Watches nothing any more. */
  stop(): void {
    this.#watcher.stop();
  }

  async #untilQuiet(signal: AbortSignal): Promise<Entries> {
    let files = this.look();
    for (let round = 0; round < longestRounds && !signal.aborted; round++) {
      await this.#parts.clock.sleep(quietMs, signal);
      const next = this.look();
      if (next === files) break;
      files = next;
    }
    return files;
  }

  async #untilChange(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const abort = (): void => aborted.resolve();
    signal.addEventListener("abort", abort, { once: true });
    await Promise.race([this.#changed.promise, aborted.promise]);
    signal.removeEventListener("abort", abort);
  }

  #tellFault(thrown: unknown): void {
    if (this.#isFaultTold) return;
    this.#isFaultTold = true;
    this.#parts.onFault(thrown);
  }
}

/** A path itself where it is no folder, and the files below it. */
function filesIn(path: string, entries: Entries): Entries {
  return new Map(
    [...entries].filter(
      ([entry, mark]) => mark !== folderMark && (entry === path || entry.startsWith(`${path}/`)),
    ),
  );
}

/** Names the first few files, each as seen from beside the watched path it belongs to. */
function changesText({ added, changed, removed }: EntryChanges, paths: readonly string[]): string {
  const nameOf = (file: string): string => {
    const path = paths.find((watched) => file.startsWith(`${watched}/`));
    return path === undefined ? basename(file) : relative(dirname(path), file);
  };
  const words = [
    ...changed.map((file) => `${nameOf(file)} changed`),
    ...added.map((file) => `${nameOf(file)} is new`),
    ...removed.map((file) => `${nameOf(file)} is gone`),
  ];
  const left = words.length - mostNamed;
  return words.slice(0, mostNamed).join(", ") + (left > 0 ? ` and ${left} more` : "");
}
