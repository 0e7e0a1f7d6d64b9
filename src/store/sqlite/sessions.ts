import * as v from "valibot";
import type { Database, SqlRow } from "../../platform/platform.ts";
import type { Page } from "../page.ts";
import type { NewSession, SessionPatch, SessionRecord, SessionStore } from "../sessions.ts";
import { tell } from "./events.ts";
import type { GroupCommit } from "./group-commit.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { integer, integerOrNull, oneOf, text, textOrNull } from "./row.ts";

const modes = ["single", "batch"] as const;
const labelsSchema = v.record(v.string(), v.string());

/** A row of the table `sessions` as a record. */
export function sessionRecord(row: SqlRow): SessionRecord {
  return {
    id: text(row, "id"),
    title: textOrNull(row, "title"),
    system: textOrNull(row, "system"),
    labels: v.parse(labelsSchema, JSON.parse(text(row, "labels"))),
    overrides: {
      provider: textOrNull(row, "provider"),
      model: textOrNull(row, "model"),
      mode: row["mode"] === null ? null : oneOf(row, "mode", modes),
    },
    turns: integer(row, "turns"),
    lastInputTokens: integerOrNull(row, "last_input_tokens"),
    epoch: integer(row, "epoch"),
    contextFrom: integer(row, "context_from"),
    pending: integer(row, "pending"),
    proven: textOrNull(row, "proven"),
    createdAt: integer(row, "created_at"),
    lastActivityAt: integer(row, "last_activity_at"),
  };
}

/** Makes a session inside the present transaction; undefined where the id is taken. */
export type InsertSession = (session: NewSession, at: number) => SessionRecord | undefined;

/** The writer of new sessions of one database. */
export function createInsertSession(database: Database): InsertSession {
  const insert = database.prepare(
    `INSERT INTO sessions (id, title, system, labels, provider, model, mode, created_at, last_activity_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING *`,
  );
  return (session, at) => {
    const { id, title, system, labels, overrides } = session;
    const { provider, model, mode } = overrides;
    const row = insert.get(id, title, system, JSON.stringify(labels), provider, model, mode, at, at);
    return row && sessionRecord(row);
  };
}

/** The sessions of one database (see `Store.sessions`). */
export function createSessions(
  database: Database,
  commit: GroupCommit,
  insertSession: InsertSession,
): SessionStore {
  const byId = database.prepare("SELECT * FROM sessions WHERE id = ?");
  const count = database.prepare("SELECT count(*) AS count FROM sessions");
  const withPending = database.prepare("SELECT id FROM sessions WHERE pending > 0 ORDER BY n");
  const inFlight = database.prepare(
    "SELECT DISTINCT session FROM messages WHERE status = 'running' ORDER BY n",
  );
  const get = (id: string): SessionRecord | undefined => {
    const row = byId.get(id);
    return row && sessionRecord(row);
  };
  return {
    create: (session, at) =>
      commit.write((told) => {
        const record = insertSession(session, at);
        if (record) tell({ type: "session.created", data: { session: session.id } }, at, told);
        return record;
      }),
    get: async (id) => get(id),
    list: async (filter, page) => listSessions(database, filter, page),
    patch: (id, patch) =>
      commit.write(() => {
        const before = get(id);
        return before && patchSession(database, before, patch);
      }),
    delete: (id, at) =>
      commit.write((told) => {
        if (!get(id)) return false;
        const open = database
          .prepare(
            "SELECT id, seq FROM messages WHERE session = ? AND status IN ('pending', 'running') ORDER BY seq",
          )
          .all(id);
        for (const row of open) {
          const data = { session: id, message: text(row, "id"), seq: integer(row, "seq") };
          tell({ type: "message.cancelled", data }, at, told);
        }
        for (const table of ["messages", "idempotency", "notes"])
          database.prepare(`DELETE FROM ${table} WHERE session = ?`).run(id);
        database.prepare("DELETE FROM sessions WHERE id = ?").run(id);
        tell({ type: "session.deleted", data: { session: id } }, at, told);
        return true;
      }),
    count: async () => {
      const row = count.get();
      return row ? integer(row, "count") : 0;
    },
    withPending: async () => withPending.all().map((row) => text(row, "id")),
    inFlight: async () => inFlight.all().map((row) => text(row, "session")),
  };
}

function patchSession(
  database: Database,
  before: SessionRecord,
  patch: SessionPatch,
): SessionRecord | undefined {
  const next = { ...before, ...patch };
  const { title, system, labels, overrides, id } = next;
  const row = database
    .prepare(
      `UPDATE sessions SET title = ?, system = ?, labels = ?, provider = ?, model = ?, mode = ?
       WHERE id = ? RETURNING *`,
    )
    .get(title, system, JSON.stringify(labels), overrides.provider, overrides.model, overrides.mode, id);
  return row && sessionRecord(row);
}

function listSessions(
  database: Database,
  filter: { label?: { key: string; value: string } },
  page: { limit: number; cursor: string | null },
): Page<SessionRecord> {
  const before = page.cursor === null ? Number.MAX_SAFE_INTEGER : decodeCursor(page.cursor);
  const { label } = filter;
  const condition = label
    ? `AND EXISTS (SELECT 1 FROM json_each(labels) AS l
         WHERE l.key = json_extract(?, '$') AND l.value = json_extract(?, '$'))`
    : "";
  const rows = database
    .prepare(`SELECT * FROM sessions WHERE n < ? ${condition} ORDER BY n DESC LIMIT ?`)
    .all(before, ...(label ? [JSON.stringify(label.key), JSON.stringify(label.value)] : []), page.limit + 1);
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    items: shown.map(sessionRecord),
    next: rows.length > page.limit && last ? encodeCursor(integer(last, "n")) : null,
  };
}
