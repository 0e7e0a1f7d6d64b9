import { dirname, isAbsolute, join, parse, resolve } from "node:path";
import { type Files, type PlaceFacts, systemFiles } from "../core/files.ts";

/** A folder to watch, and for what. */
export interface TracedFolder {
  /** Tells this folder from another one that stands, or stood, under the same path. */
  identity: string;
  /** The names in it that lead to the path. */
  names: ReadonlySet<string>;
  /** The path is this folder itself: every name in it matters. */
  isWhole: boolean;
}

/** Where a path leads at this moment. */
export interface PathTrace {
  /** By real path, without symlinks in it. */
  folders: ReadonlyMap<string, TracedFolder>;
  /** What kept the trace from its end, for example a folder that may not be searched; a missing file is none. */
  failure: unknown;
}

/** As many symlinks as Linux follows (path_resolution(7)); beyond it they are taken for a circle. */
const maxLinks = 40;

/**
 * Follows a path link by link and tells every folder in which a change of one name can change what the path leads
 * to: the folder of each symlink on the way and the folder of the file at the end. Where something on the way is
 * missing, the last one is the nearest folder that exists, with the missing name. Never throws.
 */
export function tracePath(path: string, files: Files = systemFiles): PathTrace {
  const trace = new Trace(files);
  try {
    trace.follow(resolve(path));
    return { folders: trace.folders, failure: undefined };
  } catch (thrown) {
    return { folders: trace.folders, failure: thrown };
  }
}

class Trace {
  readonly #files: Files;
  readonly folders = new Map<string, { identity: string; names: Set<string>; isWhole: boolean }>();

  constructor(files: Files) {
    this.#files = files;
  }

  follow(path: string): void {
    let folder = parse(path).root;
    let links = 0;
    const left = partsLastFirst(path);
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      // `folder` has no symlinks in it, so that the folder above it is the one its path names.
      const place = part === ".." ? dirname(folder) : join(folder, part);
      const entry = part === ".." ? undefined : this.#lookAt(place);
      if (part === ".." || entry?.isDirectory()) {
        if (left.length === 0 && part !== "..") this.#note(folder).names.add(part);
        folder = place;
        continue;
      }
      this.#note(folder).names.add(part);
      if (!entry?.isSymbolicLink() || ++links > maxLinks) return;
      const target = this.#files.readlinkSync(place);
      if (isAbsolute(target)) folder = parse(target).root;
      left.push(...partsLastFirst(target));
    }
    this.#note(folder).isWhole = true;
  }

  #note(folder: string): { names: Set<string>; isWhole: boolean } {
    const known = this.folders.get(folder);
    if (known) return known;
    const { dev, ino } = this.#files.statSync(folder, { bigint: true });
    const traced = { identity: `${dev}:${ino}`, names: new Set<string>(), isWhole: false };
    this.folders.set(folder, traced);
    return traced;
  }

  #lookAt(place: string): PlaceFacts | undefined {
    try {
      return this.#files.lstatSync(place, { bigint: true });
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
  }
}

function partsLastFirst(path: string): string[] {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .toReversed();
}

/** Whether a fault of the file system says that there is nothing at a path. */
export function isMissing(thrown: unknown): boolean {
  return (
    thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR")
  );
}
