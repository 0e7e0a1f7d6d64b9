import { SegueError } from "../../core/errors.ts";
import type { Database } from "../../platform/platform.ts";
import first from "./migrations/0001-first.sql" with { type: "text" };
import agents from "./migrations/0002-agents.sql" with { type: "text" };
import heads from "./migrations/0003-heads.sql" with { type: "text" };
import { integer } from "./row.ts";

/** Migrations in order; the number of one is its place, counted from 1, and stands in `user_version`. */
const migrations: readonly string[] = [first, agents, heads];

/** How many migrations a database has seen. */
export function versionOf(database: Database): number {
  const row = database.prepare("PRAGMA user_version").get();
  return row ? integer(row, "user_version") : 0;
}

/**
 * Brings a database up to this program, each migration in a transaction of its own. `beforeChange` is called once,
 * before the first, where there is something to lose. Throws `storage` for a database newer than the program.
 */
export function migrate(database: Database, beforeChange: (version: number) => void): void {
  const version = versionOf(database);
  if (version > migrations.length)
    throw new SegueError(
      "storage",
      `the store was written by a newer Segue (its version is ${version}, this program knows ${migrations.length})`,
      { hint: "start the newer program, or use another --data folder" },
    );
  if (version > 0 && version < migrations.length) beforeChange(version);
  for (const [index, sql] of migrations.entries())
    if (index >= version) {
      database.exec("BEGIN IMMEDIATE");
      database.exec(sql);
      database.exec(`PRAGMA user_version = ${index + 1}`);
      database.exec("COMMIT");
    }
}
