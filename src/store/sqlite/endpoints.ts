import type { ParkReason } from "../../core/events.ts";
import type { Database, SqlRow } from "../../platform/platform.ts";
import type { EndpointStore, HoldRecord, ParkRecord, Proven } from "../endpoints.ts";
import { tell } from "./events.ts";
import type { GroupCommit } from "./group-commit.ts";
import { integer, integerOrNull, oneOf, text, textOrNull } from "./row.ts";

const reasons: readonly ParkReason[] = ["rate_limited", "unreachable", "auth", "not_found"];

/** What one database knows of endpoints, keys and models (see `Store.endpoints`). */
export function createEndpoints(database: Database, commit: GroupCommit): EndpointStore {
  const prove = database.prepare(
    `INSERT INTO proven (identity, provider, kind, endpoint, model, at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (identity) DO UPDATE SET at = excluded.at`,
  );
  const hold = database.prepare(
    `INSERT OR REPLACE INTO holds (identity, provider, endpoint, model, reason, since, step, try_at, goes_back)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const park = database.prepare(
    `INSERT OR REPLACE INTO parks (scope, provider, endpoint, model, reason, since, until, step)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const all = (table: string): SqlRow[] => database.prepare(`SELECT * FROM ${table}`).all();
  return {
    load: () =>
      commit.write(() => ({
        proven: all("proven").map(provenOf),
        holds: all("holds").map(holdOf),
        parks: all("parks").map(parkOf),
      })),
    prove: ({ identity, provider, kind, endpoint, model, at }) =>
      commit.write(() => void prove.run(identity, provider, kind, endpoint, model, at)),
    hold: (identity, record, events, at) =>
      commit.write((told) => {
        if (record) {
          const { provider, endpoint, model, reason, since, step, tryAt, goesBack } = record;
          hold.run(identity, provider, endpoint, model, reason, since, step, tryAt, goesBack ? 1 : 0);
        } else database.prepare("DELETE FROM holds WHERE identity = ?").run(identity);
        for (const event of events) tell(event, at, told);
      }),
    park: (scope, record, events, at) =>
      commit.write((told) => {
        if (record) {
          const { provider, endpoint, model, reason, since, until, step } = record;
          park.run(scope, provider, endpoint, model, reason, since, until, step);
        } else database.prepare("DELETE FROM parks WHERE scope = ?").run(scope);
        for (const event of events) tell(event, at, told);
      }),
  };
}

function provenOf(row: SqlRow): Proven {
  return {
    identity: text(row, "identity"),
    provider: text(row, "provider"),
    kind: text(row, "kind"),
    endpoint: text(row, "endpoint"),
    model: text(row, "model"),
    at: integer(row, "at"),
  };
}

function holdOf(row: SqlRow): HoldRecord {
  return {
    identity: text(row, "identity"),
    provider: text(row, "provider"),
    endpoint: text(row, "endpoint"),
    model: text(row, "model"),
    reason: oneOf(row, "reason", reasons),
    since: integer(row, "since"),
    step: integer(row, "step"),
    tryAt: integerOrNull(row, "try_at"),
    goesBack: integer(row, "goes_back") === 1,
  };
}

function parkOf(row: SqlRow): ParkRecord {
  return {
    scope: text(row, "scope"),
    provider: text(row, "provider"),
    endpoint: text(row, "endpoint"),
    model: textOrNull(row, "model"),
    reason: oneOf(row, "reason", reasons),
    since: integer(row, "since"),
    until: integer(row, "until"),
    step: integer(row, "step"),
  };
}
