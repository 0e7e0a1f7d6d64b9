import type { Clock } from "../core/clock.ts";
import { HintBatch, type HintPace } from "./hint-batch.ts";
import type { HintKind } from "./path-watcher.ts";
import type { PathSubscription, SharedWatchers } from "./shared-watchers.ts";

/** What `PathWatchers` needs; the pace is that of all paths together. */
export interface PathWatchersParts extends HintPace {
  shared: SharedWatchers;
  clock: Clock;
  /** Longest time between two safety polls of a path, above 0; read anew for each. */
  pollMs: () => number;
  /** Must be cheap. */
  onHint: (kind: HintKind) => void;
  /** Gets what `onHint` threw, and once each time why native watching of a path ceased to work. */
  onFault: (thrown: unknown, path?: string) => void;
}

/** Several watched paths that together stand for one thing: a settings file and the files it refers to. */
export class PathWatchers {
  readonly #parts: PathWatchersParts;
  readonly #batch: HintBatch;
  readonly #subscriptions = new Map<string, PathSubscription>();

  constructor(parts: PathWatchersParts) {
    this.#parts = parts;
    this.#batch = new HintBatch({ clock: parts.clock, pace: parts, tell: (kind) => this.#hint(kind) });
  }

  /** `native` where every path is watched natively. */
  get mode(): "native" | "polling" {
    return [...this.#subscriptions.values()].every(({ mode }) => mode === "native") ? "native" : "polling";
  }

  /** Watches exactly these paths from now on. */
  watch(paths: readonly string[]): void {
    const wanted = new Set(paths);
    for (const [path, subscription] of this.#subscriptions)
      if (!wanted.has(path)) {
        subscription.stop();
        this.#subscriptions.delete(path);
      }
    for (const path of wanted) if (!this.#subscriptions.has(path)) this.#begin(path);
  }

  /** Looks now, and polls from here on: the interval may have become shorter. */
  poll(): void {
    for (const subscription of this.#subscriptions.values()) subscription.poll();
  }

  /** Watches nothing any more; a hint that still waited is not told. */
  stop(): void {
    this.watch([]);
    this.#batch.clear();
  }

  #begin(path: string): void {
    const { shared, pollMs, onFault } = this.#parts;
    const subscription = shared.subscribe(path, {
      pollMs,
      onHint: (kind) => this.#batch.add(kind),
      onFault: (thrown) => onFault(thrown, path),
    });
    this.#subscriptions.set(path, subscription);
    subscription.start();
  }

  #hint(kind: HintKind): void {
    try {
      this.#parts.onHint(kind);
    } catch (thrown) {
      this.#parts.onFault(thrown);
    }
  }
}
