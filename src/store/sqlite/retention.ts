import type { Database, SqlRow } from "../../platform/platform.ts";
import type { RetentionStore } from "../retention.ts";
import { tell } from "./events.ts";
import type { GroupCommit } from "./group-commit.ts";
import { integer, text } from "./row.ts";

/** Rows that one step looks at: others wait no longer than that takes. */
const rowsPerStep = 500;

/** What deletes the old of one database, step by step (see `Store.retention`). */
export function createRetention(database: Database, commit: GroupCommit): RetentionStore {
  const deleteMessages = createDeleteMessages(database);
  const deleteSessions = createDeleteSessions(database);
  const oldest = database.prepare("SELECT id, at FROM events ORDER BY id LIMIT ?");
  const deleteEvents = database.prepare("DELETE FROM events WHERE id <= ?");
  return {
    messages: (after, before) => commit.write(() => deleteMessages(after, before)),
    sessions: (after, before, at) =>
      commit.write((told) => {
        const { deleted, next } = deleteSessions(after, before);
        for (const session of deleted) tell({ type: "session.deleted", data: { session } }, at, told);
        return { deleted, next };
      }),
    events: (before) =>
      commit.write(() => {
        const rows = oldest.all(rowsPerStep);
        const firstKept = rows.findIndex((row) => integer(row, "at") >= before);
        const last = rows.at(firstKept === -1 ? -1 : firstKept - 1);
        if (!last || firstKept === 0) return false;
        deleteEvents.run(integer(last, "id"));
        return firstKept === -1 && rows.length === rowsPerStep;
      }),
  };
}

/** The end of the next step through a table that counts its rows by `n`; undefined after the last. */
function createStepEnd(database: Database, table: string): (after: number) => number | undefined {
  const end = database.prepare(
    `SELECT max(n) AS n FROM (SELECT n FROM ${table} WHERE n > ? ORDER BY n LIMIT ${rowsPerStep})`,
  );
  return (after) => {
    const row = end.get(after);
    return row && row["n"] !== null ? integer(row, "n") : undefined;
  };
}

function createDeleteMessages(database: Database): (after: number, before: number) => number | null {
  const stepEnd = createStepEnd(database, "messages");
  const remove = database.prepare(
    `DELETE FROM messages WHERE n > ? AND n <= ? AND finished_at < ? AND NOT (
       status = 'done' AND seq >= (SELECT context_from FROM sessions WHERE id = messages.session))
     RETURNING id, session`,
  );
  const removeNote = database.prepare("DELETE FROM notes WHERE session = ? AND message = ?");
  const removeKeys = database.prepare(
    `DELETE FROM idempotency WHERE session = ? AND NOT EXISTS (
       SELECT 1 FROM json_each(idempotency.messages) AS given
       JOIN messages ON messages.id = json_extract(given.value, '$.id'))`,
  );
  return (after, before) => {
    const end = stepEnd(after);
    if (end === undefined) return null;
    const removed = remove.all(after, end, before);
    for (const row of removed) removeNote.run(text(row, "session"), text(row, "id"));
    for (const session of sessionsOf(removed)) removeKeys.run(session);
    return end;
  };
}

function sessionsOf(rows: readonly SqlRow[]): Set<string> {
  return new Set(rows.map((row) => text(row, "session")));
}

function createDeleteSessions(
  database: Database,
): (after: number, before: number) => { deleted: string[]; next: number | null } {
  const stepEnd = createStepEnd(database, "sessions");
  const remove = database.prepare(
    `DELETE FROM sessions WHERE n > ? AND n <= ? AND last_activity_at < ? AND pending = 0
       AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.session = sessions.id)
     RETURNING id`,
  );
  const removeOf = ["idempotency", "notes"].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE session = ?`),
  );
  return (after, before) => {
    const end = stepEnd(after);
    if (end === undefined) return { deleted: [], next: null };
    const deleted = remove.all(after, end, before).map((row) => text(row, "id"));
    for (const id of deleted) for (const statement of removeOf) statement.run(id);
    return { deleted, next: end };
  };
}
