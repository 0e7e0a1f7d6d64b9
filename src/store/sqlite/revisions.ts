import type { RevisionSource } from "../../core/events.ts";
import type { Database, SqlRow } from "../../platform/platform.ts";
import type { RevisionRecord, RevisionStore } from "../revisions.ts";
import { tell } from "./events.ts";
import type { GroupCommit } from "./group-commit.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { integer, oneOf, text, textOrNull } from "./row.ts";

/** As many revisions are kept (contract section 5). */
const mostRevisions = 100;

const sources: readonly RevisionSource[] = ["start", "file", "reference", "api", "rollback", "signal"];

/** The accepted states of the settings of one database (see `Store.revisions`). */
export function createRevisions(database: Database, commit: GroupCommit): RevisionStore {
  const insert = database.prepare(
    "INSERT INTO revisions (at, source, changed_keys, fingerprint, text) VALUES (?, ?, ?, ?, ?) RETURNING revision",
  );
  const latest = database.prepare("SELECT * FROM revisions ORDER BY revision DESC LIMIT 1");
  const byNumber = database.prepare("SELECT * FROM revisions WHERE revision = ?");
  const newestBefore = database.prepare(
    "SELECT * FROM revisions WHERE revision < ? ORDER BY revision DESC LIMIT ?",
  );
  const forget = database.prepare("DELETE FROM revisions WHERE revision <= ?");
  return {
    record: (given, events) =>
      commit.write((told) => {
        const { at, source, changedKeys, fingerprint } = given;
        const row = insert.get(at, source, JSON.stringify(changedKeys), fingerprint, given.text);
        if (!row) throw new Error("the revision was not stored");
        const revision = integer(row, "revision");
        forget.run(revision - mostRevisions);
        for (const event of events(revision)) tell(event, at, told);
        return revision;
      }),
    latest: async () => {
      const row = latest.get();
      return row && revisionRecord(row);
    },
    list: async ({ limit, cursor }) => {
      const before = cursor === null ? Number.MAX_SAFE_INTEGER : decodeCursor(cursor);
      const rows = newestBefore.all(before, limit + 1).map(revisionRecord);
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      return { items, next: rows.length > limit && last ? encodeCursor(last.revision) : null };
    },
    get: async (revision) => {
      const row = byNumber.get(revision);
      return row && revisionRecord(row);
    },
  };
}

function revisionRecord(row: SqlRow): RevisionRecord {
  const changedKeys: unknown = JSON.parse(text(row, "changed_keys"));
  return {
    revision: integer(row, "revision"),
    at: integer(row, "at"),
    source: oneOf(row, "source", sources),
    changedKeys: Array.isArray(changedKeys) ? changedKeys.map(String) : [],
    fingerprint: text(row, "fingerprint"),
    text: textOrNull(row, "text"),
  };
}
