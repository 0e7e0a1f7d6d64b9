import type { Database } from "../../platform/platform.ts";
import type { Note, NoteStore } from "../notes.ts";
import type { GroupCommit } from "./group-commit.ts";
import { integer, text, textOrNull } from "./row.ts";

/** The notes of one database (see `Store.notes`). */
export function createNotes(database: Database, commit: GroupCommit): NoteStore {
  const add = database.prepare(
    `INSERT INTO notes (session, at, text) SELECT ?, ?, ?
     WHERE NOT EXISTS (SELECT 1 FROM notes WHERE session = ? AND message IS NULL)`,
  );
  const pending = database.prepare("SELECT text FROM notes WHERE session = ? AND message IS NULL");
  const all = database.prepare("SELECT * FROM notes WHERE session = ? ORDER BY n");
  return {
    add: (sessions, note, at) =>
      commit.write(() => {
        for (const session of sessions) add.run(session, at, note, session);
      }),
    pending: async (session) => {
      const row = pending.get(session);
      return row ? text(row, "text") : null;
    },
    list: async (session) =>
      all.all(session).map((row): Note => ({
        text: text(row, "text"),
        at: integer(row, "at"),
        message: textOrNull(row, "message"),
      })),
  };
}

/** Marks the pending note of a session as gone along with a message, inside the present transaction. */
export function createDeliverNote(database: Database): (session: string, message: string) => void {
  const deliver = database.prepare("UPDATE notes SET message = ? WHERE session = ? AND message IS NULL");
  return (session, message) => void deliver.run(message, session);
}

/** The notes that went along with messages of a session, by message. */
export function createDeliveredNotes(database: Database): (session: string) => Map<string, string> {
  const delivered = database.prepare(
    "SELECT message, text FROM notes WHERE session = ? AND message IS NOT NULL",
  );
  return (session) => new Map(delivered.all(session).map((row) => [text(row, "message"), text(row, "text")]));
}
