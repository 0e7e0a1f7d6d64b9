import type { Database } from "../../platform/platform.ts";
import { versionOf } from "./migrations.ts";
import { text } from "./row.ts";
import { storageError } from "./faults.ts";

/** Makes an empty store with the schema of another, which it only reads; answers the version of both. Throws `storage`. */
export function copySchema({ from, to }: { from: () => Database; to: () => Database }): number {
  let source: Database | undefined;
  let target: Database | undefined;
  try {
    source = from();
    target = to();
    const version = versionOf(source);
    const rows = source
      .prepare(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY rowid",
      )
      .all();
    for (const row of rows) target.exec(text(row, "sql"));
    target.exec(`PRAGMA user_version = ${version}`);
    return version;
  } catch (thrown) {
    throw storageError(thrown);
  } finally {
    source?.close();
    target?.close();
  }
}
