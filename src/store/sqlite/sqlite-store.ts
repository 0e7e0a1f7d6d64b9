import { renameSync, rmSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";
import type { StoredEvent } from "../../core/events.ts";
import type { Database } from "../../platform/platform.ts";
import type { Store, StoreTotals } from "../store.ts";
import { createAccept } from "./accept.ts";
import { createAgents } from "./agents.ts";
import { createCheckpoints } from "./checkpoints.ts";
import { createClaim } from "./claim.ts";
import { createEndpoints } from "./endpoints.ts";
import { createEvents, createKeepEvents } from "./events.ts";
import { storageError, withFaultsInWords } from "./faults.ts";
import { GroupCommit } from "./group-commit.ts";
import { createMessages } from "./messages.ts";
import { migrate, versionOf } from "./migrations.ts";
import { createNotes } from "./notes.ts";
import { createRetention } from "./retention.ts";
import { createRevisions } from "./revisions.ts";
import { integer } from "./row.ts";
import { createInsertSession, createSessions } from "./sessions.ts";
import { createSessionWrites } from "./session-writes.ts";
import { createTurnEnds, dayOf } from "./turn-end.ts";

/**
 * A store in one SQLite database in WAL mode. `open` opens the connection; `publish` gets committed events, in
 * order, before the writes that stored them resolve; a store that is about to be migrated is copied to
 * `backupPath` before, in the place of an older copy; undefined: somebody else has copied it. Throws `storage` where the
 * database cannot be used.
 */
export function openSqliteStore(parts: {
  open: () => Database;
  clock: Clock;
  publish: (events: readonly StoredEvent[]) => void;
  backupPath: (version: number) => string | undefined;
}): Store {
  let database: Database | undefined;
  try {
    database = withFaultsInWords(parts.open());
    const isNew = versionOf(database) === 0;
    // 1. Of a new store nothing is lost where its making is cut short: it needs no journal on disk.
    if (isNew) database.exec("PRAGMA journal_mode = MEMORY");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA busy_timeout = 2000");
    database.exec("PRAGMA journal_size_limit = 67108864");
    // Checkpoints four times as seldom as by default: each rewrites the same few pages of the indexes.
    database.exec("PRAGMA wal_autocheckpoint = 10000");
    // 16 MB, taken as they are needed: with the 2 of the default a thousand sessions at work push each other's pages out.
    database.exec("PRAGMA cache_size = -16000");
    // 2. Nothing that a migration writes is promised to anybody: the first commit after it makes it durable. The mode of
    //    the file itself was synced above: a log beside an empty file would not be read.
    database.exec(`PRAGMA synchronous = ${isNew ? "OFF" : "NORMAL"}`);
    const opened = database;
    migrate(opened, (version) => copyInto(opened, parts.backupPath(version)));
    database.exec("PRAGMA synchronous = FULL");
    return composeStore(database, parts.clock, parts.publish);
  } catch (thrown) {
    database?.close();
    throw storageError(thrown);
  }
}

/** In one step: a copy that was cut short is not taken for one, and an older one is not in the way. */
function copyInto(database: Database, path: string | undefined): void {
  if (path === undefined) return;
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  database.prepare("VACUUM INTO ?").run(temporary);
  renameSync(temporary, path);
}

function composeStore(
  database: Database,
  clock: Clock,
  publish: (events: readonly StoredEvent[]) => void,
): Store {
  const commit = new GroupCommit({ database, clock, keepEvents: createKeepEvents(database), publish });
  const insertSession = createInsertSession(database);
  const accept = createAccept(database, insertSession);
  const sessions = createSessionWrites(database);
  const claim = createClaim(database, sessions);
  const ends = createTurnEnds({ database, sessions });
  let isOpen = true;
  return {
    sessions: createSessions(database, commit, insertSession),
    messages: createMessages({ database, commit, accept, claim, ends }),
    notes: createNotes(database, commit),
    endpoints: createEndpoints(database, commit),
    checkpoints: createCheckpoints(database, commit),
    retention: createRetention(database, commit),
    events: createEvents(database, commit),
    revisions: createRevisions(database, commit),
    agents: createAgents(database, commit),
    ...createTotals(database),
    fault: () => commit.fault,
    setDurability: (durability) =>
      database.exec(`PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`),
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      commit.close();
      database.close();
    },
  };
}

function createTotals(database: Database): Pick<Store, "totals" | "tokensOnDayOf"> {
  const pending = database.prepare(
    "SELECT coalesce(sum(pending), 0) AS pending FROM sessions WHERE pending > 0",
  );
  const oldest = database.prepare(
    "SELECT created_at FROM messages INDEXED BY messages_waiting WHERE status = 'pending' ORDER BY n LIMIT 1",
  );
  const turns = database.prepare(
    "SELECT coalesce(sum(turns), 0) AS turns, max(last_turn_at) AS last FROM days",
  );
  const tokens = database.prepare("SELECT input_tokens + output_tokens AS tokens FROM days WHERE day = ?");
  return {
    totals: async (): Promise<StoreTotals> => {
      const counted = turns.get();
      const first = oldest.get();
      const waiting = pending.get();
      return {
        pending: waiting ? integer(waiting, "pending") : 0,
        oldestPendingAt: first ? integer(first, "created_at") : null,
        turns: counted ? integer(counted, "turns") : 0,
        lastTurnAt: counted && counted["last"] !== null ? integer(counted, "last") : null,
      };
    },
    tokensOnDayOf: async (at) => {
      const row = tokens.get(dayOf(at));
      return row ? integer(row, "tokens") : 0;
    },
  };
}
