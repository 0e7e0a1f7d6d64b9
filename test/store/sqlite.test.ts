import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { SegueError } from "../../src/core/errors.ts";
import { openDatabase } from "../../src/platform/bun.ts";
import type { Database } from "../../src/platform/platform.ts";
import firstMigration from "../../src/store/sqlite/migrations/0001-first.sql" with { type: "text" };
import secondMigration from "../../src/store/sqlite/migrations/0002-agents.sql" with { type: "text" };
import { storeConformance } from "./conformance.ts";
import { closeStores, databasePath, openOnDisk } from "./disk-store.ts";
import { Holder } from "./holder.ts";
import {
  accept,
  accepted,
  acceptedOne,
  messageOf,
  noon,
  refusalOf,
  type StoreUnderTest,
} from "./store-under-test.ts";

afterEach(closeStores);

storeConformance("SQLite on disk", () => openOnDisk());

/** What opening a database is refused with. */
function faultOf(open: () => unknown): SegueError {
  try {
    open();
  } catch (thrown) {
    if (thrown instanceof SegueError) return thrown;
    throw thrown;
  }
  throw new Error("it was opened");
}

/** A database on which a store has worked. */
async function usedDatabase(): Promise<string> {
  const path = databasePath();
  const { store } = openOnDisk(path);
  await accepted(store, "a", ["one", "two"]);
  await store.close();
  return path;
}

/** Runs SQL in a database that no store has open. */
function run(path: string, sql: string): void {
  const database = openDatabase(path);
  database.exec(sql);
  database.close();
}

function versionOf(path: string): number {
  const database = openDatabase(path);
  const row = database.prepare("PRAGMA user_version").get();
  database.close();
  return Number(row?.["user_version"]);
}

describe("opening", () => {
  test("a database of a newer program is refused, naming both versions, and stays as it is", async () => {
    const path = await usedDatabase();
    run(path, "PRAGMA user_version = 4711");
    const before = readFileSync(path);
    const fault = faultOf(() => openOnDisk(path));
    expect(fault.code).toBe("storage");
    expect(fault.message).toMatch(/newer Segue.*4711.*knows \d+/);
    expect(fault.hint).toContain("--data");
    expect(readFileSync(path)).toEqual(before);
  });

  test("a file that is no database is refused, with a way out, and stays as it is", () => {
    const path = databasePath();
    writeFileSync(path, "not a database, but long enough to be looked at as one".repeat(100));
    const before = readFileSync(path);
    const fault = faultOf(() => openOnDisk(path));
    expect(fault).toMatchObject({ code: "storage" });
    expect(fault.message).toContain("segue.db in the data folder is damaged");
    expect(fault.hint).toContain("--data");
    expect(readFileSync(path)).toEqual(before);
  });

  test("a folder that does not exist is refused", () => {
    expect(faultOf(() => openOnDisk(`${databasePath()}/none/segue.db`))).toMatchObject({ code: "storage" });
  });

  test("a refused database is let go: another program may have it at once", async () => {
    const path = await usedDatabase();
    const version = versionOf(path);
    run(path, "PRAGMA user_version = 4711");
    faultOf(() => openOnDisk(path));
    run(path, `BEGIN EXCLUSIVE; COMMIT; PRAGMA user_version = ${version}`);
    expect((await openOnDisk(path).store.totals()).pending).toBe(2);
  });

  test("a new database needs no copy, nor does one that is up to date", async () => {
    const path = await usedDatabase();
    openOnDisk(path);
    expect(existsSync(`${path}.0`)).toBe(false);
    expect(existsSync(`${path}.${versionOf(path)}`)).toBe(false);
  });

  test("closing leaves one file and nothing open beside it", async () => {
    const path = await usedDatabase();
    expect(existsSync(path)).toBe(true);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test("damage inside the file is told in the store's words when it is read", async () => {
    const path = await usedDatabase();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 4096);
    writeFileSync(path, bytes);
    expect(
      await refusalOf(
        (async () => {
          const { store } = openOnDisk(path);
          await store.messages.list({}, { limit: 10, cursor: null });
        })(),
      ),
    ).toBe("storage");
  });
});

describe("a store of an earlier program", () => {
  const row =
    "INSERT INTO messages (id, session, seq, content, status, created_at, lease_boot, lease_generator)";

  /** One that has migrations 1 and 2, with sessions in each state. */
  function earlierStore(): string {
    const path = databasePath();
    run(path, `${firstMigration}; ${secondMigration}; PRAGMA user_version = 2`);
    const session = (id: string, pending: number): void =>
      run(
        path,
        `INSERT INTO sessions VALUES (NULL, '${id}', NULL, NULL, '{}', NULL, NULL, NULL, 0, NULL, 1, 1, 4, ${pending}, NULL, 1, 1)`,
      );
    const message = (id: string, seq: number, status: string): void =>
      run(
        path,
        `${row} VALUES ('${id}${seq}', '${id}', ${seq}, 'x', '${status}', 1, ${status === "running" ? "'boot_0', 'gen_0'" : "NULL, NULL"})`,
      );
    for (const [id, pending, ...statuses] of [
      ["waits", 2, "done", "pending", "pending"],
      ["works", 1, "done", "running", "pending"],
      ["rests", 0, "done", "cancelled", "failed"],
    ] as const) {
      session(id, pending);
      for (const [index, status] of statuses.entries()) message(id, index + 1, status);
    }
    return path;
  }

  test("its messages are taken in order, those in flight when it stopped too", async () => {
    const { store } = openOnDisk(earlierStore());
    await store.messages.recover("boot_1", 5, noon);
    const holder = new Holder(store);
    expect([await holder.take("waits"), await holder.take("waits")]).toMatchObject([{ seq: 2 }, { seq: 3 }]);
    expect([await holder.take("works"), await holder.take("works")]).toMatchObject([{ seq: 2 }, { seq: 3 }]);
    expect(await holder.claim("rests")).toBe("nothing");
    expect(await acceptedOne(store, "rests")).toMatchObject({ seq: 4 });
    expect(await holder.take("rests")).toMatchObject({ seq: 4 });
  });
});

describe("stored events that were forgotten", () => {
  test("the oldest is the first that is kept; where none is, the one that comes next", async () => {
    const path = await usedDatabase();
    const before = await openOnDisk(path).store.events.bounds();
    await closeStores();
    run(path, `DELETE FROM events WHERE id <= ${before.oldest}`);
    const { store } = openOnDisk(path);
    expect(await store.events.bounds()).toEqual({ oldest: before.oldest + 1, newest: before.newest });
    await closeStores();
    run(path, "DELETE FROM events");
    const { store: empty } = openOnDisk(path);
    expect(await empty.events.bounds()).toEqual({ oldest: before.newest + 1, newest: before.newest });
    await accept(empty, "a", ["three"]);
    expect(await empty.events.bounds()).toEqual({ oldest: before.newest + 1, newest: before.newest + 1 });
  });
});

describe("durability", () => {
  test.each([
    ["full", 2],
    ["normal", 1],
  ] as const)("%s is SQLite's synchronous = %i", (durability, level) => {
    let connection: Database | undefined;
    const { store } = openOnDisk(databasePath(), (database) => {
      connection = database;
    });
    store.setDurability(durability === "full" ? "normal" : "full");
    store.setDurability(durability);
    expect(connection?.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: level });
  });
});

describe("a full disk", () => {
  const big = "x".repeat(200_000);

  /** A store with room for a few more pages; `makeRoom` gives it all it wants. */
  async function setup(): Promise<StoreUnderTest & { makeRoom: () => void }> {
    const path = await usedDatabase();
    let connection: Database | undefined;
    const under = openOnDisk(path, (database) => {
      connection = database;
      const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
      database.exec(`PRAGMA max_page_count = ${pages + 8}`);
    });
    return { ...under, makeRoom: () => connection?.exec("PRAGMA max_page_count = 1000000") };
  }

  test("what has no room is refused as storage_full, and has changed nothing", async () => {
    const { store, published } = await setup();
    expect(await refusalOf(accept(store, "a", ["small", big]))).toBe("storage_full");
    expect(await store.messages.list({ session: "a" }, { limit: 9, cursor: null })).toMatchObject({
      items: [{ content: "one" }, { content: "two" }],
    });
    expect((await store.totals()).pending).toBe(2);
    expect(published).toEqual([]);
  });

  test("what fits is taken, in the same moment too", async () => {
    const { store } = await setup();
    const results = await Promise.allSettled([
      accept(store, "a", ["before"]),
      accept(store, "a", [big]),
      accept(store, "a", ["after"]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  test("a reply that has no room leaves its message in flight, and is stored when there is room", async () => {
    const { store, makeRoom } = await setup();
    const holder = new Holder(store);
    const taken = await holder.take("a");
    expect(await refusalOf(holder.done(taken, { reply: big }))).toBe("storage_full");
    expect(await messageOf(store, taken.id)).toEqual(taken);
    makeRoom();
    await holder.done(taken, { reply: big });
    expect((await messageOf(store, taken.id)).reply).toBe(big);
  });

  test("it recovers by itself when there is room, and seq has no gap", async () => {
    const { store, makeRoom } = await setup();
    expect(await refusalOf(accept(store, "a", [big]))).toBe("storage_full");
    makeRoom();
    expect(await acceptedOne(store, "a", big)).toMatchObject({ seq: 3, createdAt: noon });
  });
});
