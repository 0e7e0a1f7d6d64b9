import type { FolderListener } from "../../src/watch/folder-watch.ts";
import type { Chance } from "./chance.ts";
import type { Sight } from "./history.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

/** A watch on a folder that a process has open. */
interface Watch {
  process: SimulatedProcess;
  folder: string;
  listener: FolderListener;
}

/** What becomes of a native event. */
type Fate = Extract<Sight, { kind: "hint" }>["fate"];

/** How often native events do not come as they should: each of lost, late and doubled. */
const hintTrouble = 0.08;
const latestHintMs = 5000;

function noWatches(): Error {
  return Object.assign(new Error("ENOSPC: no watches left"), { code: "ENOSPC" });
}

/** The folders that may be watched, and who decides and is told what becomes of an event. */
interface FolderWatchParts {
  scheduler: Scheduler;
  chance: () => Chance;
  hasFolder: (folder: string) => boolean;
  /** Only events about these get lost, late or doubled. */
  watchedClosely: readonly string[];
  onFate: (fate: Fate, path: string) => void;
  /** Called right before a process is told. */
  onTold: () => void;
}

/** Native events: what processes watch, and how they are told of changes. */
export class FolderWatches {
  /** Watches can be had. */
  isWorking = true;
  readonly #open = new Set<Watch>();
  /** When an event was lost last. */
  #lostAt = -1;
  readonly #parts: FolderWatchParts;

  constructor(parts: FolderWatchParts) {
    this.#parts = parts;
  }

  /** Watches that are open. */
  get open(): number {
    return this.#open.size;
  }

  /** Opens a watch; throws where none can be had. */
  watch(watch: Watch): { close: () => void } {
    watch.process.pass();
    if (!this.isWorking) throw noWatches();
    if (!this.#parts.hasFolder(watch.folder)) throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
    this.#open.add(watch);
    return { close: () => void this.#open.delete(watch) };
  }

  /** All watches break down, and no other can be had. */
  breakDown(): void {
    this.isWorking = false;
    const broken = [...this.#open];
    this.#open.clear();
    for (const watch of broken) watch.listener.onError(noWatches());
  }

  /** The process is gone, and its watches with it. */
  forget(process: SimulatedProcess): void {
    for (const watch of this.#open) if (watch.process === process) this.#open.delete(watch);
  }

  /** Something happened to a name in a folder. */
  changed(folder: string, name: string): void {
    if (this.#on(folder).length === 0) return;
    const { scheduler, chance, watchedClosely, onFate } = this.#parts;
    const soon = (): void => scheduler.soon(() => this.#tell(folder, name));
    const path = `${folder}/${name}`;
    if (!watchedClosely.includes(path)) return soon();
    // 1. What is lost of an edit is mostly all of it: the system has no room for what comes in one moment.
    const fate = this.#lostAt === scheduler.now ? "lost" : fateOf(chance());
    if (fate === "lost") this.#lostAt = scheduler.now;
    onFate(fate, path);
    if (fate === "late") scheduler.after(chance().below(latestHintMs), soon);
    else if (fate !== "lost") soon();
    if (fate === "doubled") soon();
  }

  #on(folder: string): Watch[] {
    return [...this.#open].filter((watch) => watch.folder === folder);
  }

  #tell(folder: string, name: string): void {
    this.#parts.onTold();
    for (const watch of this.#on(folder)) if (this.#open.has(watch)) watch.listener.onEvent(name);
  }
}

function fateOf(chance: Chance): Fate {
  const luck = chance.next() / hintTrouble;
  if (luck < 1) return "lost";
  if (luck < 2) return "late";
  return luck < 3 ? "doubled" : "delivered";
}
