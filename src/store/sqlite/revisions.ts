import type { RevisionSource } from "../../core/events.ts";
import type { Database, SqlRow } from "../../platform/platform.ts";
import type { RevisionRecord, Store } from "../store.ts";
import type { Tell } from "./events.ts";
import type { GroupCommit } from "./group-commit.ts";
import { integer, oneOf, text, textOrNull } from "./row.ts";

const sources: readonly RevisionSource[] = ["start", "file", "reference", "api", "rollback", "signal"];

/** The accepted states of the settings of one database (see `Store.revisions`). */
export function createRevisions(database: Database, commit: GroupCommit, tell: Tell): Store["revisions"] {
  const insert = database.prepare(
    "INSERT INTO revisions (at, source, changed_keys, fingerprint, text) VALUES (?, ?, ?, ?, ?) RETURNING revision",
  );
  const latest = database.prepare("SELECT * FROM revisions ORDER BY revision DESC LIMIT 1");
  return {
    record: (given, events) =>
      commit.write((stored) => {
        const { at, source, changedKeys, fingerprint } = given;
        const row = insert.get(at, source, JSON.stringify(changedKeys), fingerprint, given.text);
        if (!row) throw new Error("the revision was not stored");
        const revision = integer(row, "revision");
        for (const event of events(revision)) tell(event, at, stored);
        return revision;
      }),
    latest: async () => {
      const row = latest.get();
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
