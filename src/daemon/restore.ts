import { readFile } from "node:fs/promises";
import type { Clock } from "../core/clock.ts";
import { SegueError, errorText } from "../core/errors.ts";
import { Releasers } from "../core/releasers.ts";
import { openDatabase } from "#platform";
import type { RestoredSession } from "../store/checkpoints.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { parseCheckpoint } from "./checkpoint-file.ts";
import { dataFolder, lockDataFolder, makeDataFolder } from "./instance.ts";
import { copyPath } from "./store-copy.ts";

/** What was put back. */
export interface Restored {
  sessions: number;
  /** Messages that have not ended: they are pending. */
  pending: number;
}

/**
 * Puts the sessions of a checkpoint into a data folder, all of them or, where an id is taken, none; the folder's lock
 * is held meanwhile. Throws `already_running`, `storage`, `malformed`, `invalid`, or `session_exists` with each id
 * that is taken. `onRead` is told how many sessions there are, before they are put back.
 */
export async function restoreCheckpoint(
  file: string,
  { dataDir, clock, onRead }: { dataDir: string; clock: Clock; onRead?: (sessions: number) => void },
): Promise<Restored> {
  const sessions = parseCheckpoint(await readCheckpoint(file));
  onRead?.(sessions.length);
  process.umask(0o077);
  const folder = dataFolder(dataDir);
  await makeDataFolder(folder);
  const releasers = new Releasers();
  try {
    releasers.add(await lockDataFolder(folder, openDatabase));
    const store = openSqliteStore({
      open: () => openDatabase(folder.store),
      clock,
      publish: () => {},
      backupPath: (version) => copyPath(folder.store, version),
    });
    releasers.add(() => store.close());
    const result = await store.checkpoints.restore(sessions, clock.now());
    if (result.kind === "clash") throw taken(result);
  } finally {
    await releasers.release();
  }
  return { sessions: sessions.length, pending: countPending(sessions) };
}

async function readCheckpoint(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    throw new SegueError("malformed", `the checkpoint cannot be read: ${errorText(thrown)}`, {
      cause: thrown,
    });
  }
}

function taken({ sessions, messages }: { sessions: string[]; messages: string[] }): SegueError {
  const message = "is in this data folder already";
  return new SegueError("session_exists", "nothing was restored: some of it is there already", {
    problems: [
      ...sessions.map((id) => ({ path: `session ${id}`, message })),
      ...messages.map((id) => ({ path: `message ${id}`, message })),
    ],
    hint: "delete these sessions, or restore into another --data folder",
  });
}

function countPending(sessions: readonly RestoredSession[]): number {
  return sessions.reduce((count, { queue }) => count + queue.length, 0);
}
