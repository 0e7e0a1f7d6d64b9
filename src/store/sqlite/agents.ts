import type { Database, SqlRow, SqlValue } from "../../platform/platform.ts";
import type { AgentStore, MemoryRecord } from "../agents.ts";
import type { Page, PageRequest } from "../page.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { GroupCommit } from "./group-commit.ts";
import { integer, text, textOrNull } from "./row.ts";

/** What coding agents leave in one database (see `Store.agents`). */
export function createAgents(database: Database, commit: GroupCommit): AgentStore {
  const count = database.prepare(
    "INSERT INTO agent_events (event, count) VALUES (?, 1) ON CONFLICT (event) DO UPDATE SET count = count + 1",
  );
  const counts = database.prepare("SELECT event, count FROM agent_events ORDER BY event");
  return {
    memories: async (filter, page) => listMemories(database, filter, page),
    count: (event) => commit.write(() => void count.run(event)),
    counts: async () =>
      Object.fromEntries(counts.all().map((row) => [text(row, "event"), integer(row, "count")])),
  };
}

/** The conditions are those of the indexes, word for word: a partial index is found by nothing else. */
const summaries = "m.is_summary = 1 AND m.reply IS NOT NULL";
const project = "json_extract(s.labels, '$.project')";

function listMemories(
  database: Database,
  filter: { project?: string },
  page: PageRequest,
): Page<MemoryRecord> {
  const before = page.cursor === null ? Number.MAX_SAFE_INTEGER : decodeCursor(page.cursor);
  const values: SqlValue[] = filter.project === undefined ? [] : [filter.project];
  const rows = database
    .prepare(
      `SELECT m.n, m.id, m.session, m.reply, m.finished_at, ${project} AS project
       FROM messages AS m JOIN sessions AS s ON s.id = m.session
       WHERE ${values.length > 0 ? `${project} = ? AND` : ""} ${summaries} AND m.n < ? ORDER BY m.n DESC LIMIT ?`,
    )
    .all(...values, before, page.limit + 1);
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    items: shown.map(memoryRecord),
    next: rows.length > page.limit && last ? encodeCursor(integer(last, "n")) : null,
  };
}

function memoryRecord(row: SqlRow): MemoryRecord {
  return {
    session: text(row, "session"),
    project: textOrNull(row, "project"),
    at: integer(row, "finished_at"),
    summary: text(row, "reply"),
    message: text(row, "id"),
  };
}
