import type { Usage } from "../../core/events.ts";
import type { Database, SqlValue } from "../../platform/platform.ts";
import type { SessionRecord } from "../sessions.ts";
import { sessionRecord } from "./sessions.ts";

/** What a turn changes in its session; each answers with the session as it stands then. */
export interface SessionWrites {
  /** `first` is the `seq` of the first of `count` messages: nothing before it is pending. */
  claimed(id: string, count: number, first: number, at: number): SessionRecord;
  done(id: string, usage: Usage, identity: string, at: number): SessionRecord;
  failed(id: string, at: number): SessionRecord;
  /** `first` is the lowest `seq` of `count` messages that are pending again. */
  putBack(id: string, count: number, first: number, at: number): SessionRecord;
  rolledOver(id: string, contextFrom: number): SessionRecord;
}

/** The writer of one database; everything runs inside the present transaction. */
export function createSessionWrites(database: Database): SessionWrites {
  const byId = database.prepare("SELECT * FROM sessions WHERE id = ?");
  const update = (set: string): ((id: string, ...values: SqlValue[]) => SessionRecord) => {
    const statement = database.prepare(`UPDATE sessions SET ${set} WHERE id = ?`);
    return (id, ...values) => {
      statement.run(...values, id);
      // 1. Read by itself: RETURNING takes three times as long (measured).
      const row = byId.get(id);
      if (!row) throw new Error(`session ${id} is gone, its message is not`);
      return sessionRecord(row);
    };
  };
  const active = "last_activity_at = max(last_activity_at, ?)";
  const claimed = update(`pending = pending - ?, head_seq = ?, ${active}`);
  const done = update(`turns = turns + 1, last_input_tokens = ?, proven = ?, ${active}`);
  const failed = update(active);
  const putBack = update(`pending = pending + ?, head_seq = min(head_seq, ?), ${active}`);
  const rolledOver = update("epoch = epoch + 1, last_input_tokens = NULL, context_from = ?");
  return {
    claimed: (id, count, first, at) => claimed(id, count, first, at),
    done: (id, usage, identity, at) => done(id, usage.inputTokens, identity, at),
    failed: (id, at) => failed(id, at),
    putBack: (id, count, first, at) => putBack(id, count, first, at),
    rolledOver: (id, contextFrom) => rolledOver(id, contextFrom),
  };
}
