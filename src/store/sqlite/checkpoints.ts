import type { Database, SqlRow } from "../../platform/platform.ts";
import type { CheckpointStore, RestoredMessage, RestoredSession, SessionSnapshot } from "../checkpoints.ts";
import { tell, type ToldEvent } from "./events.ts";
import type { GroupCommit } from "./group-commit.ts";
import { messageRecord } from "./message-record.ts";
import { integer, text, textOrNull } from "./row.ts";
import { sessionRecord } from "./sessions.ts";

/** Checkpoints of one database (see `Store.checkpoints`). */
export function createCheckpoints(database: Database, commit: GroupCommit): CheckpointStore {
  const snapshot = createSnapshot(database);
  const restore = createRestore(database);
  const clash = createClash(database);
  return {
    session: async (id) => snapshot(id),
    restore: (sessions, at) =>
      commit.write((told) => {
        const found = clash(sessions);
        if (found.sessions.length + found.messages.length > 0) return { kind: "clash", ...found };
        // Newest first they come, oldest first they are made: lists keep their order.
        for (const session of sessions.toReversed()) restore(session, at, told);
        return { kind: "restored" };
      }),
  };
}

function createSnapshot(database: Database): (id: string) => SessionSnapshot | undefined {
  const byId = database.prepare("SELECT * FROM sessions WHERE id = ?");
  const context = database.prepare(
    "SELECT * FROM messages WHERE session = ? AND seq >= ? AND status = 'done' ORDER BY seq",
  );
  const queue = database.prepare(
    "SELECT * FROM messages WHERE session = ? AND status IN ('pending', 'running') ORDER BY seq",
  );
  const notes = database.prepare("SELECT * FROM notes WHERE session = ? ORDER BY n");
  const snapshotOf = (row: SqlRow) => ({
    ...messageRecord(row),
    isSummary: integer(row, "is_summary") === 1,
  });
  return (id) => {
    const row = byId.get(id);
    if (!row) return undefined;
    const session = sessionRecord(row);
    const kept = context.all(id, session.contextFrom).map(snapshotOf);
    const ids = new Set<string | null>([null, ...kept.map((message) => message.id)]);
    const told = notes.all(id).map((note) => ({
      text: text(note, "text"),
      at: integer(note, "at"),
      message: textOrNull(note, "message"),
    }));
    return {
      session,
      context: kept,
      notes: told.filter(({ message }) => ids.has(message)),
      queue: queue.all(id).map(snapshotOf),
    };
  };
}

function createClash(
  database: Database,
): (sessions: readonly RestoredSession[]) => { sessions: string[]; messages: string[] } {
  const session = database.prepare("SELECT 1 FROM sessions WHERE id = ?");
  const message = database.prepare("SELECT 1 FROM messages WHERE id = ?");
  return (given) => ({
    sessions: given.map(({ id }) => id).filter((id) => session.get(id)),
    messages: given
      .flatMap(({ context, queue }) => [...context, ...queue])
      .map(({ id }) => id)
      .filter((id) => message.get(id)),
  });
}

function createRestore(
  database: Database,
): (session: RestoredSession, at: number, told: ToldEvent[]) => void {
  const insertSession = database.prepare(
    `INSERT INTO sessions (id, title, system, labels, provider, model, mode, turns, last_input_tokens, epoch,
       context_from, next_seq, pending, created_at, last_activity_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertNote = database.prepare("INSERT INTO notes (session, at, text, message) VALUES (?, ?, ?, ?)");
  const insertMessage = createInsertMessage(database);
  return (session, at, told) => {
    const { id, title, system, labels, overrides, turns, lastInputTokens, epoch, context, queue } = session;
    const seqs = [...context, ...queue].map(({ seq }) => seq);
    // 1. What ended before its context is not in a checkpoint: the lowest seq there is begins the context.
    const contextFrom = seqs.reduce((lowest, seq) => Math.min(lowest, seq), seqs[0] ?? 1);
    const nextSeq = seqs.reduce((highest, seq) => Math.max(highest, seq), 0) + 1;
    const { provider, model, mode } = overrides;
    insertSession.run(
      id,
      title,
      system,
      JSON.stringify(labels),
      provider,
      model,
      mode,
      turns,
      lastInputTokens,
      epoch,
      contextFrom,
      nextSeq,
      queue.length,
      session.createdAt,
      session.lastActivityAt,
    );
    tell({ type: "session.created", data: { session: id } }, at, told);
    for (const message of context) insertMessage(id, message, epoch);
    for (const message of queue) {
      insertMessage(id, message, null);
      const data = { session: id, message: message.id, seq: message.seq };
      tell({ type: "message.accepted", data }, at, told);
    }
    for (const note of session.notes) insertNote.run(id, note.at, note.text, note.message);
  };
}

function createInsertMessage(
  database: Database,
): (session: string, message: RestoredMessage, epoch: number | null) => void {
  const columns = `id, session, seq, content, status, attempts, reply, finish, error, provider, model, revision,
    fallback_from, input_tokens, output_tokens, is_estimated, replied_by, retry_of, epoch, created_at, started_at,
    finished_at, is_summary`;
  const places = columns.split(",").map(() => "?");
  const insert = database.prepare(`INSERT INTO messages (${columns}) VALUES (${places.join(", ")})`);
  return (session, message, epoch) => {
    const { usage, error } = message;
    insert.run(
      message.id,
      session,
      message.seq,
      message.content,
      message.status,
      message.attempts,
      message.reply,
      message.finish,
      error && JSON.stringify(error),
      message.provider,
      message.model,
      message.revision,
      message.fallbackFrom,
      usage?.inputTokens ?? null,
      usage?.outputTokens ?? null,
      usage?.estimated === true ? 1 : 0,
      message.repliedBy,
      message.retryOf,
      epoch,
      message.createdAt,
      message.startedAt,
      message.finishedAt,
      message.isSummary ? 1 : 0,
    );
  };
}
