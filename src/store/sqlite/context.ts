import type { Database } from "../../platform/platform.ts";
import type { Exchange } from "../turns.ts";
import { createDeliveredNotes } from "./notes.ts";
import { textGiven } from "./parameter.ts";
import { integer, text, textOrNull } from "./row.ts";

/** The exchanges of a session's present context (see `Store.messages.context`). */
export function createContext(
  database: Database,
): (session: string, from: number, before: number) => Exchange[] {
  const done = database.prepare(
    `SELECT id, seq, content, reply, replied_by FROM messages
     WHERE session = ${textGiven()} AND seq >= ? AND seq < ? AND status = 'done' ORDER BY seq`,
  );
  const notesOf = createDeliveredNotes(database);
  return (session, from, before) => {
    const notes = notesOf(session);
    const exchanges: Exchange[] = [];
    /** Contents of batches by the message that has their reply. */
    const batches = new Map<string, Omit<Exchange, "content" | "reply"> & { contents: string[] }>();
    for (const row of done.all(session, from, before)) {
      const reply = textOrNull(row, "reply");
      const turn = textOrNull(row, "replied_by") ?? text(row, "id");
      const note = notes.get(text(row, "id")) ?? null;
      const batch = batches.get(turn) ?? { seq: integer(row, "seq"), note, contents: [] };
      batch.contents.push(text(row, "content"));
      batches.set(turn, batch);
      if (reply !== null)
        exchanges.push({ seq: batch.seq, note: batch.note, content: batch.contents.join("\n\n"), reply });
    }
    return exchanges;
  };
}
