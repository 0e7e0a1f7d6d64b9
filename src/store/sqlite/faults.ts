import { SegueError, errorText } from "../../core/errors.ts";
import type { Database, Statement } from "../../platform/platform.ts";

/**
 * The same connection, whose faults are those of `storageError`: what reads has no transaction around it in which
 * they could be put into words. A statement is prepared when it is first run: a start needs few of them.
 */
export function withFaultsInWords(database: Database): Database {
  return {
    exec: (sql) => inWords(() => database.exec(sql)),
    prepare: (sql) => {
      let prepared: Statement | undefined;
      const statement = (): Statement => (prepared ??= database.prepare(sql));
      return {
        run: (...values) => inWords(() => statement().run(...values)),
        get: (...values) => inWords(() => statement().get(...values)),
        all: (...values) => inWords(() => statement().all(...values)),
      };
    },
    close: () => database.close(),
  };
}

function inWords<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw storageError(thrown);
  }
}

/** A fault of SQLite in the words of the contract. */
export function storageError(thrown: unknown): SegueError {
  if (thrown instanceof SegueError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (code.startsWith("SQLITE_FULL"))
    return new SegueError("storage_full", "there is no room left where the data folder is", {
      cause: thrown,
      hint: "free some space; Segue goes on by itself",
    });
  if (code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT"))
    return new SegueError("storage", `segue.db in the data folder is damaged: ${errorText(thrown)}`, {
      cause: thrown,
      hint: "put a copy of it in its place, or use another --data folder",
    });
  if (code.startsWith("SQLITE_READONLY"))
    return new SegueError("storage", `segue.db in the data folder cannot be written: ${errorText(thrown)}`, {
      cause: thrown,
      hint: "let this user write it and its folder, or use another --data folder",
    });
  return new SegueError("storage", `the store cannot be used now: ${errorText(thrown)}`, { cause: thrown });
}
