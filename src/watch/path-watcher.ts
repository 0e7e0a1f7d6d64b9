import { basename } from "node:path";
import type { Cancel, Clock } from "../core/clock.ts";
import type { Files } from "../core/files.ts";
import type { Random } from "../core/ids.ts";
import { watchFolder, type WatchFolder } from "./folder-watch.ts";
import { isMissing, tracePath, type PathTrace, type TracedFolder } from "./path-trace.ts";

/** Why to look: a native event, a watch that was just (re-)armed, or the safety poll. */
export type HintKind = "event" | "armed" | "poll";

/** What a `PathWatcher` needs. */
export interface PathWatcherOptions {
  /** Any one file or folder; it need not exist. */
  path: string;
  clock: Clock;
  /** Longest time between two safety polls, above 0; read anew for each. */
  pollMs: () => number;
  random: Random;
  /** By default the operating system's events. */
  watchFolder?: WatchFolder;
  /** By default those of the machine. */
  files?: Files;
  /** Must be cheap. What it throws goes to `onFault`. */
  onHint: (kind: HintKind) => void;
  /** Gets what `onHint` threw, and once each time why native watching ceased to work. */
  onFault: (thrown: unknown) => void;
}

interface ArmedFolder {
  readonly folder: string;
  traced: TracedFolder;
  close: () => void;
}

/** A path that changes faster than it can be armed is left to the poll after this many rounds. */
const maxRounds = 5;

/**
 * Tells that something may have happened to one path. It does not know what: whoever gets a hint looks.
 *
 * Watched are folders, never the file: a watch on a file follows the inode and goes silent after the first rename.
 * They are the folder of the file and those of the symlinks on the way; where one is missing, the nearest one that
 * exists. Watching holds as long as what is armed is what the path leads to, by three rules:
 * 1. After each event that may concern the path, and at each poll, the path is traced anew, and folders that are no
 *    longer on the way, or are now another folder under the same name, are let go.
 * 2. An event about an armed folder itself lets it go even if it looks the same: inode numbers are given out again.
 * 3. After each arming the path is traced once more, so that nothing slips between the look and the watch.
 *
 * `native`: every folder on the way is armed. `polling`: one of them cannot be (no watches left, no permission), and
 * the poll alone is to be trusted; each poll tries again.
 */
export class PathWatcher {
  readonly #options: PathWatcherOptions;
  readonly #watchFolder: WatchFolder;
  readonly #armed = new Map<string, ArmedFolder>();
  #obstacle: unknown;
  #cancelPoll: Cancel = () => {};
  #isStarted = false;

  constructor(options: PathWatcherOptions) {
    this.#options = options;
    this.#watchFolder = options.watchFolder ?? watchFolder;
  }

  /** How changes are noticed at present. */
  get mode(): "native" | "polling" {
    return this.#obstacle === undefined ? "native" : "polling";
  }

  /** Arms the watch, says so with the hint `armed`, and begins to poll. A second call does nothing. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#arm();
    this.#hint("armed");
    this.#schedulePoll();
  }

  /** No hint comes after it; nothing is left open. */
  stop(): void {
    this.#isStarted = false;
    this.#cancelPoll();
    for (const armed of this.#armed.values()) this.#disarm(armed);
    this.#obstacle = undefined;
  }

  /** Polls now and counts `pollMs` from here: for when it was made shorter. */
  poll(): void {
    if (!this.#isStarted) return;
    this.#cancelPoll();
    this.#look("poll");
    this.#schedulePoll();
  }

  #schedulePoll(): void {
    if (!this.#isStarted) return;
    const { clock, pollMs, random } = this.#options;
    this.#cancelPoll = clock.after(pollMs() * (1 - random() / 10), () => this.poll());
  }

  #look(kind: HintKind): void {
    const isRearmed = this.#arm();
    this.#hint(kind);
    if (isRearmed) this.#hint("armed");
  }

  #hint(kind: HintKind): void {
    if (!this.#isStarted) return;
    try {
      this.#options.onHint(kind);
    } catch (thrown) {
      this.#options.onFault(thrown);
    }
  }

  /** Rules 1 and 3. Answers whether a watch was opened. */
  #arm(): boolean {
    let isRearmed = false;
    let obstacle: unknown;
    for (let round = 1; round <= maxRounds; round++) {
      const trace = tracePath(this.#options.path, this.#options.files);
      this.#letGo(trace);
      const result = this.#open(trace);
      obstacle = result.obstacle;
      isRearmed ||= result.opened > 0;
      if (result.opened === 0 && !isMissing(obstacle)) break;
    }
    this.#setObstacle(obstacle);
    return isRearmed;
  }

  #letGo(trace: PathTrace): void {
    for (const armed of this.#armed.values())
      if (trace.folders.get(armed.folder)?.identity !== armed.traced.identity) this.#disarm(armed);
  }

  #open(trace: PathTrace): { opened: number; obstacle: unknown } {
    let opened = 0;
    let obstacle = trace.failure;
    for (const [folder, traced] of trace.folders) {
      const armed = this.#armed.get(folder);
      if (armed) {
        armed.traced = traced;
        continue;
      }
      try {
        this.#openFolder(folder, traced);
        opened += 1;
      } catch (thrown) {
        obstacle ??= thrown;
      }
    }
    return { opened, obstacle };
  }

  #openFolder(folder: string, traced: TracedFolder): void {
    const armed: ArmedFolder = { folder, traced, close: () => {} };
    const watch = this.#watchFolder(folder, {
      onEvent: (name) => this.#takeEvent(armed, name),
      onError: (error) => this.#takeError(armed, error),
    });
    armed.close = () => watch.close();
    this.#armed.set(folder, armed);
  }

  #takeEvent(armed: ArmedFolder, name: string | null): void {
    if (!this.#isArmed(armed)) return;
    const isAboutItself = name === null || name === "" || name === basename(armed.folder);
    if (isAboutItself) this.#disarm(armed); // rule 2
    if (isAboutItself || armed.traced.isWhole || armed.traced.names.has(name)) this.#look("event");
  }

  /** Not armed again before the next look: a watch that breaks at once must not become a busy loop. */
  #takeError(armed: ArmedFolder, error: unknown): void {
    if (!this.#isArmed(armed)) return;
    this.#disarm(armed);
    this.#setObstacle(error);
    this.#hint("event");
  }

  /** A watch that was let go may still have something to tell; it no longer counts. */
  #isArmed(armed: ArmedFolder): boolean {
    return this.#armed.get(armed.folder) === armed;
  }

  #disarm(armed: ArmedFolder): void {
    this.#armed.delete(armed.folder);
    armed.close();
  }

  #setObstacle(obstacle: unknown): void {
    const isNew = obstacle !== undefined && this.#obstacle === undefined;
    this.#obstacle = obstacle;
    if (isNew) this.#options.onFault(obstacle);
  }
}
