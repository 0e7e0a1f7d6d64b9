import type { HintKind, PathWatcher } from "./path-watcher.ts";

/** Several watched paths that together stand for one thing: a settings file and the files it refers to. */
export class PathWatchers {
  readonly #create: (path: string, onHint: (kind: HintKind) => void) => PathWatcher;
  readonly #onHint: (kind: HintKind) => void;
  readonly #watchers = new Map<string, PathWatcher>();

  constructor(parts: {
    create: (path: string, onHint: (kind: HintKind) => void) => PathWatcher;
    onHint: (kind: HintKind) => void;
  }) {
    this.#create = parts.create;
    this.#onHint = parts.onHint;
  }

  /** `native` where every path is watched natively. */
  get mode(): "native" | "polling" {
    return [...this.#watchers.values()].every((watcher) => watcher.mode === "native") ? "native" : "polling";
  }

  /** Watches exactly these paths from now on. */
  watch(paths: readonly string[]): void {
    const wanted = new Set(paths);
    for (const [path, watcher] of this.#watchers)
      if (!wanted.has(path)) {
        watcher.stop();
        this.#watchers.delete(path);
      }
    for (const path of wanted)
      if (!this.#watchers.has(path)) {
        const watcher = this.#create(path, this.#onHint);
        this.#watchers.set(path, watcher);
        watcher.start();
      }
  }

  /** Looks now, and polls from here on: the interval may have become shorter. */
  poll(): void {
    for (const watcher of this.#watchers.values()) watcher.poll();
  }

  /** Watches nothing any more. */
  stop(): void {
    this.watch([]);
  }
}
