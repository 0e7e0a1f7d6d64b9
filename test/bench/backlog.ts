import { systemClock } from "../../src/core/clock.ts";
import { openDatabase } from "../../src/platform/bun.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../../src/store/store.ts";

/** Opens Segue's own store in a file. */
export function openStore(file: string): Store {
  return openSqliteStore({
    open: () => openDatabase(file),
    clock: systemClock,
    publish: () => {},
    backupPath: () => "",
  });
}

/**
 * Fills a store, if there is nothing in it yet, with so many pending messages of 300 bytes over so many sessions, named
 * `bench-0` and on: past its interface, which would take minutes for a million.
 */
export async function fillStore(file: string, pending: number, sessions: number): Promise<void> {
  await openStore(file).close();
  const database = openDatabase(file);
  const count = Number(database.prepare("SELECT count(*) AS count FROM sessions").get()?.["count"]);
  if (count === 0) {
    const numbered =
      "WITH RECURSIVE numbered (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbered WHERE i + 1 <";
    database.exec("BEGIN");
    database.exec(
      `${numbered} ${sessions}) INSERT INTO sessions (id, labels, next_seq, pending, created_at, last_activity_at)
       SELECT 'bench-' || i, '{}', ${pending} / ${sessions} + 2, (${pending} + ${sessions} - 1 - i) / ${sessions}, 0, 0
       FROM numbered`,
    );
    database.exec(
      `${numbered} ${pending}) INSERT INTO messages (id, session, seq, content, created_at)
       SELECT 'msg_' || i, 'bench-' || (i % ${sessions}), i / ${sessions} + 1, printf('%.300c', 'x'), 0 FROM numbered`,
    );
    database.exec("COMMIT");
  }
  database.close();
}
