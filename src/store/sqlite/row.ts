import type { SqlRow, SqlValue } from "../../platform/platform.ts";

/** The column as text; throws where the table holds something else, which no migration of ours allows. */
export function text(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw wrongColumn(column, "text", value);
  return value;
}

/** The column as text or null. */
export function textOrNull(row: SqlRow, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

/** The column as a whole number. */
export function integer(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw wrongColumn(column, "a number", value);
  return value;
}

/** The column as a whole number or null. */
export function integerOrNull(row: SqlRow, column: string): number | null {
  return row[column] === null ? null : integer(row, column);
}

/** The column as one of `words`. */
export function oneOf<T extends string>(row: SqlRow, column: string, words: readonly T[]): T {
  const value = row[column];
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw wrongColumn(column, `one of ${words.join(", ")}`, value);
  return word;
}

function wrongColumn(column: string, wanted: string, value: SqlValue | undefined): Error {
  return new Error(`the store is damaged: column ${column} should hold ${wanted}, not ${typeof value}`);
}
