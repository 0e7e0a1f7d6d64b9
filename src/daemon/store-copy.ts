import { copyFile, constants, open, rename, rm } from "node:fs/promises";
import type { Database } from "../platform/platform.ts";

/** Where a store is copied to before it is migrated from a version. */
export function copyPath(store: string, version: number): string {
  return `${store}.before-upgrade-from-${version}`;
}

/** Copies a store that nobody has open, durably, and in the place of an older copy; answers where it is. */
export async function keepCopy(store: string, version: number): Promise<string> {
  const path = copyPath(store, version);
  const temporary = `${path}.new`;
  await copyFile(store, temporary, constants.COPYFILE_FICLONE);
  const file = await open(temporary, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  return path;
}

/** Puts a copy in the place of its store, in one step. Nobody may have that open. */
export async function restoreCopy(
  store: string,
  copy: string,
  openDatabase: (path: string) => Database,
): Promise<void> {
  try {
    // 1. What stands in the log beside the store is taken into it, or it would be taken into the copy.
    const database = openDatabase(store);
    try {
      database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
    } finally {
      database.close();
    }
  } catch {
    // 2. A store that is broken by now is about to be replaced.
  }
  for (const end of ["-wal", "-shm"]) await rm(`${store}${end}`, { force: true });
  await rename(copy, store);
}
