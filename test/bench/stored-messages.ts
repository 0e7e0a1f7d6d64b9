import { Database } from "bun:sqlite";
import { join } from "node:path";
import { type Server, storeFile } from "./server.ts";

/** How many messages a daemon that has ended left in its store, by status. */
export function messagesByStatus({ folder }: Server): Map<string, number> {
  const database = new Database(join(folder, storeFile), { readwrite: true, strict: true });
  try {
    const rows = database
      .query<{ status: string; count: number }, []>(
        "SELECT status, count(*) AS count FROM messages GROUP BY status",
      )
      .all();
    return new Map(rows.map(({ status, count }) => [status, count]));
  } finally {
    database.close(true);
  }
}
