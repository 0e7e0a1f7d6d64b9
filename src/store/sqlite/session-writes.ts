import type { Usage } from "../../core/events.ts";
import type { Database, SqlValue } from "../../platform/platform.ts";
import type { SessionRecord } from "../store.ts";
import { sessionRecord } from "./sessions.ts";

/** What a turn changes in its session; each answers with the session as it stands then. */
export interface SessionWrites {
  claimed(id: string, count: number, at: number): SessionRecord;
  done(id: string, usage: Usage, identity: string, at: number): SessionRecord;
  failed(id: string, at: number): SessionRecord;
  putBack(id: string, count: number, at: number): SessionRecord;
  rolledOver(id: string, contextFrom: number): SessionRecord;
}

/** The writer of one database; everything runs inside the present transaction. */
export function createSessionWrites(database: Database): SessionWrites {
  const update = (set: string): ((id: string, ...values: SqlValue[]) => SessionRecord) => {
    const statement = database.prepare(`UPDATE sessions SET ${set} WHERE id = ? RETURNING *`);
    return (id, ...values) => {
      const row = statement.get(...values, id);
      if (!row) throw new Error(`session ${id} is gone, its message is not`);
      return sessionRecord(row);
    };
  };
  const active = "last_activity_at = max(last_activity_at, ?)";
  const claimed = update(`pending = pending - ?, ${active}`);
  const done = update(`turns = turns + 1, last_input_tokens = ?, proven = ?, ${active}`);
  const failed = update(active);
  const putBack = update(`pending = pending + ?, ${active}`);
  const rolledOver = update("epoch = epoch + 1, last_input_tokens = NULL, context_from = ?");
  return {
    claimed: (id, count, at) => claimed(id, count, at),
    done: (id, usage, identity, at) => done(id, usage.inputTokens, identity, at),
    failed: (id, at) => failed(id, at),
    putBack: (id, count, at) => putBack(id, count, at),
    rolledOver: (id, contextFrom) => rolledOver(id, contextFrom),
  };
}
