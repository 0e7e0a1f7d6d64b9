import type { Cancel, Clock } from "../core/clock.ts";
import type { Random } from "../core/ids.ts";
import { compareEntries, findEntries, type Entries, type EntryChanges } from "./entries.ts";
import { PathWatchers } from "./path-watchers.ts";
import type { SharedWatchers } from "./shared-watchers.ts";

/** What an `EntryWatcher` needs. */
export interface EntryWatcherParts {
  /** Files and folders, absolute; of a folder all that is in it, however deep. None needs to exist. */
  paths: readonly string[];
  /** What in a folder does not count, by its name and its whole path. */
  isLeftOut: (name: string, path: string) => boolean;
  shared: SharedWatchers;
  clock: Clock;
  random: Random;
  /** Longest time between two looks. */
  pollMs: number;
  /** Above 0: what happens within this time of a first event is one change. */
  batchMs: number;
  /** Native events lead to no more than one look in this time. */
  everyMs: number;
  /** Told each difference once, whatever led to the look that found it. */
  onChange: (changes: EntryChanges) => void;
  /** Gets what `onChange` threw, and for each path why native watching ceased to work. */
  onFault: (thrown: unknown) => void;
}

/** How often a watch looks whether it still watches what its path leads to; what lies there is polled for all at once. */
const rearmMs = 10_000;

/**
 * Tells which entries of files and folders were added, changed and removed. What counts is the difference from what was
 * told last; events only tell when to look, so that none that is missed or doubled matters. Each look watches exactly
 * the folders it found, and each arming leads to another look: what comes into a new folder before it is watched is
 * found too.
 */
export class EntryWatcher {
  readonly #parts: EntryWatcherParts;
  readonly #watchers: PathWatchers;
  #told: Entries | undefined;
  #cancelPoll: Cancel = () => {};
  #isStarted = false;

  constructor(parts: EntryWatcherParts) {
    const { shared, clock, batchMs, everyMs, onFault } = parts;
    this.#parts = parts;
    this.#watchers = new PathWatchers({
      shared,
      clock,
      batchMs,
      everyMs,
      pollMs: () => rearmMs,
      onHint: (kind) => {
        if (kind !== "poll") this.look();
      },
      onFault: (thrown) => onFault(thrown),
    });
  }

  /** Watches from here on; what lies there now is told to nobody. A second call does nothing. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#told = undefined;
    this.look();
    this.#schedulePoll();
  }

  /** What lies there now, after what is new in it was told. */
  look(): Entries {
    const { entries, watched } = findEntries(this.#parts.paths, this.#parts.isLeftOut);
    const changes = this.#told && compareEntries(this.#told, entries);
    this.#told = entries;
    if (this.#isStarted) this.#watchers.watch(watched);
    if (changes) this.#tell(changes);
    return entries;
  }

  /** Watches nothing any more. */
  stop(): void {
    this.#isStarted = false;
    this.#cancelPoll();
    this.#watchers.stop();
  }

  #schedulePoll(): void {
    if (!this.#isStarted) return;
    const { clock, pollMs, random } = this.#parts;
    this.#cancelPoll = clock.after(pollMs * (1 - random() / 10), () => {
      this.look();
      this.#schedulePoll();
    });
  }

  #tell(changes: EntryChanges): void {
    try {
      this.#parts.onChange(changes);
    } catch (thrown) {
      this.#parts.onFault(thrown);
    }
  }
}
