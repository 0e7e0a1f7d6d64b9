import type { Database, SqlValue, Statement } from "../../platform/platform.ts";

/**
 * As many rows one statement stores, the most first. What a statement costs by itself, and a table's counter that it
 * reads and writes, are shared by its rows: of fifty events that is half (measured).
 */
const rowsOfStatements = [64, 8, 1] as const;

/** Inserts rows inside the present transaction, in order; each holds the values of all columns. */
export type InsertRows = (rows: readonly (readonly SqlValue[])[]) => void;

/** The writer of one table's rows. */
export function createInsertRows(
  database: Database,
  table: "events" | "messages",
  columns: readonly string[],
): InsertRows {
  const inserts = rowsOfStatements.map((count) => ({
    count,
    insert: prepareInsert(database, table, columns, count),
  }));
  return (rows) => {
    let from = 0;
    for (const { count, insert } of inserts)
      for (; from + count <= rows.length; from += count) insert.run(...rows.slice(from, from + count).flat());
  };
}

function prepareInsert(
  database: Database,
  table: string,
  columns: readonly string[],
  count: number,
): Statement {
  const row = `(${columns.map(() => "?").join(", ")})`;
  const places = Array.from({ length: count }, () => row).join(", ");
  return database.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES ${places}`);
}
