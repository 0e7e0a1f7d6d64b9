import { isoTime } from "../../core/clock.ts";
import type { EventType, NewEvent, StoredEvent } from "../../core/events.ts";
import type { Database, SqlRow } from "../../platform/platform.ts";
import type { Store } from "../store.ts";
import type { GroupCommit } from "./group-commit.ts";
import { integer, text, textOrNull } from "./row.ts";

/** Stores an event inside the present transaction and hands it to those published after the commit. */
export type Tell = (event: NewEvent, at: number, stored: StoredEvent[]) => void;

/** The writer of events of one database. */
export function createTell(database: Database): Tell {
  const insert = database.prepare(
    "INSERT INTO events (at, type, session, data) VALUES (?, ?, ?, ?) RETURNING id",
  );
  return (event, at, stored) => {
    const session = "session" in event.data ? event.data.session : null;
    const data = JSON.stringify({ at: isoTime(at), ...event.data });
    const row = insert.get(at, event.type, session, data);
    if (row) stored.push({ id: integer(row, "id"), type: event.type, session, data });
  };
}

/** The events of one database (see `Store.events`). */
export function createEvents(database: Database, commit: GroupCommit, tell: Tell): Store["events"] {
  const after = database.prepare("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?");
  const oldest = database.prepare("SELECT min(id) AS id FROM events");
  const newest = database.prepare(
    "SELECT coalesce(max(seq), 0) AS id FROM sqlite_sequence WHERE name = 'events'",
  );
  const idIn = (row: SqlRow | undefined): number => (row && row["id"] !== null ? integer(row, "id") : 0);
  return {
    append: (events, at) =>
      commit.write((stored) => {
        for (const event of events) tell(event, at, stored);
      }),
    after: async (id, limit) => after.all(id, limit).map(storedEvent),
    bounds: async () => {
      const last = idIn(newest.get());
      return { oldest: idIn(oldest.get()) || (last === 0 ? 0 : last + 1), newest: last };
    },
  };
}

function storedEvent(row: SqlRow): StoredEvent {
  return {
    id: integer(row, "id"),
    // Written by `createTell` alone, from the same union.
    type: text(row, "type") as EventType,
    session: textOrNull(row, "session"),
    data: text(row, "data"),
  };
}
