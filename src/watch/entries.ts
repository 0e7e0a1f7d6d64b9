import { readdirSync, statSync, type BigIntStats, type Dirent } from "node:fs";
import { join } from "node:path";

/**
 * What lies at some paths, by path: folders, files, and symlinks by what they lead to. Another mark means another file,
 * other content or another permission.
 */
export type Entries = ReadonlyMap<string, string>;

/** By which entries two looks differ, each in the order of their names. */
export interface EntryChanges {
  added: readonly string[];
  changed: readonly string[];
  removed: readonly string[];
}

/** The mark of a folder: what happens in it shows in its entries. */
export const folderMark = "folder";

/** What was found, and what is to be watched to notice that it changes. */
export interface FoundEntries {
  entries: Entries;
  /** Each folder stands for the files in it; a symlink is watched by itself. */
  watched: readonly string[];
}

/**
 * Looks at files and folders, and at all that is in the folders, by stat and without reading any file. In folders,
 * `isLeftOut` says what does not count, and symlinks to folders are not followed. What goes meanwhile, or may not be
 * looked at, is not there. Never throws.
 */
export function findEntries(
  paths: readonly string[],
  isLeftOut: (name: string, path: string) => boolean,
): FoundEntries {
  const entries = new Map<string, string>();
  const watched: string[] = [];
  const lookIn = (folder: string): void => {
    entries.set(folder, folderMark);
    watched.push(folder);
    for (const entry of childrenOf(folder)) {
      const path = join(folder, entry.name);
      if (isLeftOut(entry.name, path)) continue;
      if (entry.isDirectory()) lookIn(path);
      else {
        if (entry.isSymbolicLink()) watched.push(path);
        const stats = statAt(path);
        if (stats?.isDirectory()) entries.set(path, folderMark);
        else if (stats?.isFile()) entries.set(path, markOf(stats));
      }
    }
  };
  for (const path of paths) {
    const stats = statAt(path);
    if (stats?.isDirectory()) lookIn(path);
    else {
      watched.push(path);
      if (stats) entries.set(path, markOf(stats));
    }
  }
  return { entries, watched };
}

/** What has to happen to make one of the other; undefined where they are equal. */
export function compareEntries(before: Entries, after: Entries): EntryChanges | undefined {
  const names = [...after.keys()].toSorted();
  const added = names.filter((path) => !before.has(path));
  const changed = names.filter((path) => before.has(path) && before.get(path) !== after.get(path));
  const removed = [...before.keys()].filter((path) => !after.has(path)).toSorted();
  return added.length + changed.length + removed.length > 0 ? { added, changed, removed } : undefined;
}

function markOf({ ino, size, mtimeNs, mode }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${mode}`;
}

function statAt(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

function childrenOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
