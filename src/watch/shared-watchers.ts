import { resolve } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Files } from "../core/files.ts";
import type { Random } from "../core/ids.ts";
import type { WatchFolder } from "./folder-watch.ts";
import { PathWatcher, type HintKind } from "./path-watcher.ts";

/** Somebody who wants to know when to look at a path. */
export interface PathAsker {
  /** Longest time between two safety polls, above 0; read anew for each. Who shares a path gets the shortest. */
  pollMs: () => number;
  /** Must be cheap. */
  onHint: (kind: HintKind) => void;
  /** Gets what this asker's own `onHint` threw, and once each time why native watching ceased to work. */
  onFault: (thrown: unknown) => void;
}

/** What one asker has of a path. */
export interface PathSubscription {
  /** How changes are noticed at present. */
  readonly mode: "native" | "polling";
  /** From here on there are hints, the first of them `armed`. A second call does nothing. */
  start(): void;
  /** Polls now and counts `pollMs` from here, for all who share the path. */
  poll(): void;
  /** No hint comes after it. Calling it twice does nothing more. */
  stop(): void;
}

/** What `SharedWatchers` needs. */
export interface SharedWatchersParts {
  clock: Clock;
  random: Random;
  /** By default the operating system's events. */
  watchFolder?: WatchFolder;
  /** By default those of the machine. */
  files?: Files;
}

/**
 * One watcher a path, however many ask for it. It is started for the first who starts and stopped with the last who
 * stops. What one asker throws is told to that asker alone, and keeps nothing from the others.
 */
export class SharedWatchers {
  readonly #parts: SharedWatchersParts;
  readonly #shared = new Map<string, SharedWatcher>();

  constructor(parts: SharedWatchersParts) {
    this.#parts = parts;
  }

  /** Asks for hints about one file or folder, which need not exist. Nothing is watched before `start`. */
  subscribe(path: string, asker: PathAsker): PathSubscription {
    const key = resolve(path);
    const own = { ...asker }; // The same asker may ask twice.
    let joined: SharedWatcher | undefined;
    return {
      get mode() {
        return joined?.mode ?? "native";
      },
      start: () => {
        if (joined) return;
        joined = this.#sharedAt(key);
        joined.join(own);
      },
      poll: () => joined?.poll(),
      stop: () => {
        if (joined?.leave(own)) this.#shared.delete(key);
        joined = undefined;
      },
    };
  }

  #sharedAt(path: string): SharedWatcher {
    const known = this.#shared.get(path);
    if (known) return known;
    const shared = new SharedWatcher(path, this.#parts);
    this.#shared.set(path, shared);
    return shared;
  }
}

/** The watcher of one path and who asks for it. */
class SharedWatcher {
  readonly #clock: Clock;
  readonly #askers = new Set<PathAsker>();
  readonly #watcher: PathWatcher;
  #obstacle: unknown;

  constructor(path: string, parts: SharedWatchersParts) {
    this.#clock = parts.clock;
    this.#watcher = new PathWatcher({
      ...parts,
      path,
      pollMs: () => Math.min(...[...this.#askers].map(({ pollMs }) => pollMs())),
      onHint: (kind) => this.#each((asker) => this.#hint(asker, kind)),
      onFault: (thrown) => {
        this.#obstacle = thrown;
        this.#each((asker) => this.#tellFault(asker, thrown));
      },
    });
  }

  get mode(): "native" | "polling" {
    return this.#watcher.mode;
  }

  /** A newcomer hears why there are no native events, looks as if the watch were new, and may shorten the poll. */
  join(asker: PathAsker): void {
    this.#askers.add(asker);
    if (this.#askers.size === 1) return this.#watcher.start();
    if (this.mode === "polling") this.#tellFault(asker, this.#obstacle);
    if (this.#askers.has(asker)) this.#hint(asker, "armed");
    this.#watcher.poll();
  }

  /** Answers whether nobody asks any more; then nothing is watched. */
  leave(asker: PathAsker): boolean {
    this.#askers.delete(asker);
    if (this.#askers.size > 0) return false;
    this.#watcher.stop();
    return true;
  }

  poll(): void {
    this.#watcher.poll();
  }

  /** What is told to one may make another leave; the loop over a set then leaves that one out. */
  #each(act: (asker: PathAsker) => void): void {
    for (const asker of this.#askers) act(asker);
  }

  #hint(asker: PathAsker, kind: HintKind): void {
    try {
      asker.onHint(kind);
    } catch (thrown) {
      this.#tellFault(asker, thrown);
    }
  }

  /** A fault in telling a fault is a bug: it is thrown where it disturbs nobody, and is not hidden. */
  #tellFault(asker: PathAsker, thrown: unknown): void {
    try {
      asker.onFault(thrown);
    } catch (bug) {
      this.#clock.defer(() => {
        throw bug;
      });
    }
  }
}
