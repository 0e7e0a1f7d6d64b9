import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import type { StoredEvent } from "../../src/core/events.ts";
import { openDatabase } from "#platform";
import type { Database } from "../../src/platform/platform.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../../src/store/store.ts";
import { makeFolder } from "../support/workspace.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

const opened = new Set<Store>();

/** Closes every store a test opened; to be called after each. */
export async function closeStores(): Promise<void> {
  for (const store of opened) await store.close();
  opened.clear();
}

/** A path for a database in a folder of its own. */
export function databasePath(): string {
  return join(makeFolder("store"), "segue.db");
}

/** A store on SQLite on disk; `prepare` gets each connection before the store does. */
export function openOnDisk(
  path: string = databasePath(),
  prepare: (database: Database) => void = () => {},
): StoreUnderTest {
  const published: StoredEvent[][] = [];
  const store = openSqliteStore({
    open: () => {
      const database = openDatabase(path);
      prepare(database);
      return database;
    },
    clock: systemClock,
    publish: (events) => void published.push([...events]),
    backupPath: (version) => `${path}.${version}`,
  });
  opened.add(store);
  const reopen = async (): Promise<StoreUnderTest> => {
    await store.close();
    return openOnDisk(path, prepare);
  };
  return { store, published, reopen };
}

/** A store on SQLite in memory: for what asks much and needs nothing to last. */
export function openInMemory(): StoreUnderTest {
  return openOnDisk(":memory:");
}
