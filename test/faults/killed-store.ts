import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What a data folder holds of which nobody has recovered anything yet. */
export interface KilledStore {
  /** What SQLite finds: `ok` where nothing is wrong. */
  integrity: string;
  statuses: Map<string, string>;
  /** Messages that were between claim and end. */
  running: number;
  /** Whether a restart was under way: its drain had begun, its end was not told. */
  isRestarting: boolean;
}

/** Looks at a copy in `folder`, so that looking does not mend what the next start has to. */
export function readKilledStore(dataDir: string, folder: string): KilledStore {
  const copy = join(folder, "copy.db");
  for (const suffix of ["", "-wal"]) {
    rmSync(`${copy}${suffix}`, { force: true });
    const from = join(dataDir, `segue.db${suffix}`);
    if (existsSync(from)) copyFileSync(from, `${copy}${suffix}`);
  }
  const database = new Database(copy);
  try {
    const checked = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").get();
    const rows = database.query<{ id: string; status: string }, []>("SELECT id, status FROM messages").all();
    const last = database
      .query<{ type: string }, []>(
        "SELECT type FROM events WHERE type LIKE 'daemon.%' ORDER BY id DESC LIMIT 1",
      )
      .get();
    return {
      integrity: checked?.integrity_check ?? "",
      statuses: new Map(rows.map(({ id, status }) => [id, status])),
      running: rows.filter(({ status }) => status === "running").length,
      isRestarting: last?.type === "daemon.draining",
    };
  } finally {
    database.close(true);
  }
}

/** How often each message is told to have ended. */
export function countEnds(dataDir: string): Map<string, number> {
  const database = new Database(join(dataDir, "segue.db"), { readonly: true });
  try {
    const rows = database
      .query<{ message: string; ends: number }, []>(
        `SELECT data ->> 'message' AS message, count(*) AS ends FROM events
         WHERE type IN ('message.done', 'message.failed', 'message.cancelled') GROUP BY 1`,
      )
      .all();
    return new Map(rows.map(({ message, ends }) => [message, ends]));
  } finally {
    database.close(true);
  }
}
