import { Database } from "bun:sqlite";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/workspace.ts";

/** What the store of a daemon that does not run holds. */
export interface StoredMessages {
  /** What SQLite finds: `ok` where nothing is wrong. */
  integrity: string;
  /** Status by id of message. */
  statuses: Map<string, string>;
}

/** Reads a copy of the store in a data folder, so that looking at it does not mend what the next start has to. */
export function readStoredMessages(dataDir: string): StoredMessages {
  const copy = join(makeFolder("store"), "segue.db");
  copyFileSync(join(dataDir, "segue.db"), copy);
  const log = join(dataDir, "segue.db-wal");
  if (existsSync(log)) copyFileSync(log, `${copy}-wal`);
  const database = new Database(copy);
  try {
    const [checked] = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
    const rows = database.query<{ id: string; status: string }, []>("SELECT id, status FROM messages").all();
    return {
      integrity: checked?.integrity_check ?? "",
      statuses: new Map(rows.map(({ id, status }) => [id, status])),
    };
  } finally {
    database.close(true);
  }
}
