import { isoTime } from "../../core/clock.ts";
import type { EventType, NewEvent, StoredEvent } from "../../core/events.ts";
import type { Database, SqlRow } from "../../platform/platform.ts";
import type { EventStore } from "../events.ts";
import type { GroupCommit } from "./group-commit.ts";
import { createInsertRows } from "./insert-rows.ts";
import { integer, text, textOrNull } from "./row.ts";

/** What a write tells; it is stored, and gets its id, at the end of the transaction. */
export interface ToldEvent extends Omit<StoredEvent, "id"> {
  at: number;
}

/** Tells an event inside the present transaction. */
export function tell(event: NewEvent, at: number, told: ToldEvent[]): void {
  const session = "session" in event.data ? event.data.session : null;
  told.push({ at, type: event.type, session, data: JSON.stringify({ at: isoTime(at), ...event.data }) });
}

/** Stores what a transaction told, inside it, in order; the answer is what is published after the commit. */
export type KeepEvents = (told: readonly ToldEvent[]) => StoredEvent[];

/** The writer of events of one database. */
export function createKeepEvents(database: Database): KeepEvents {
  const newest = database.prepare(newestId);
  const insert = createInsertRows(database, "events", ["id", "at", "type", "session", "data"]);
  return (told) => {
    if (told.length === 0) return [];
    const first = idIn(newest.get()) + 1;
    insert(told.map(({ at, type, session, data }, index) => [first + index, at, type, session, data]));
    return told.map(({ type, session, data }, index) => ({ id: first + index, type, session, data }));
  };
}

/** Ids are never given twice, even where all events were deleted. */
const newestId = "SELECT coalesce(max(seq), 0) AS id FROM sqlite_sequence WHERE name = 'events'";

function idIn(row: SqlRow | undefined): number {
  return row && row["id"] !== null ? integer(row, "id") : 0;
}

/** The events of one database (see `Store.events`). */
export function createEvents(database: Database, commit: GroupCommit): EventStore {
  const after = database.prepare("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?");
  const oldest = database.prepare("SELECT min(id) AS id FROM events");
  const newest = database.prepare(newestId);
  return {
    append: (events, at) =>
      commit.write((told) => {
        for (const event of events) tell(event, at, told);
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
    // Written by `tell` alone, from the same union.
    type: text(row, "type") as EventType,
    session: textOrNull(row, "session"),
    data: text(row, "data"),
  };
}
