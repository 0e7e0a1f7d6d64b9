import { afterEach, expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { openDatabase } from "../../src/platform/bun.ts";
import type { Database } from "../../src/platform/platform.ts";
import type { ToldEvent } from "../../src/store/sqlite/events.ts";
import { GroupCommit } from "../../src/store/sqlite/group-commit.ts";
import { refusalOf } from "./store-under-test.ts";

const open: Database[] = [];

afterEach(() => {
  for (const database of open.splice(0)) database.close();
});

/** A group commit on a database that notes each transaction, and what happened in which order. */
function setup() {
  const database = openDatabase(":memory:");
  open.push(database);
  database.exec("PRAGMA foreign_keys = ON");
  database.exec("CREATE TABLE parents (name TEXT PRIMARY KEY)");
  database.exec(
    "CREATE TABLE names (name TEXT UNIQUE, parent TEXT REFERENCES parents (name) DEFERRABLE INITIALLY DEFERRED)",
  );
  const log: string[] = [];
  const noting: Database = {
    ...database,
    exec: (sql) => {
      database.exec(sql);
      log.push(sql);
    },
  };
  const commit = new GroupCommit({
    database: noting,
    clock: systemClock,
    keepEvents: (told) => told.map((event, index) => ({ ...event, id: index + 1 })),
    publish: (events) => void log.push(`published ${events.map(({ session }) => session).join(" ")}`),
  });
  const add = (name: string, parent: string | null = null): Promise<string> =>
    commit.write((told) => {
      database.prepare("INSERT INTO names VALUES (?, ?)").run(name, parent);
      told.push(eventOf(name));
      return name;
    });
  const names = (): unknown[] =>
    database
      .prepare("SELECT name FROM names ORDER BY rowid")
      .all()
      .map((row) => row["name"]);
  return { commit, add, names, log };
}

function eventOf(session: string): ToldEvent {
  return { at: 0, type: "session.unloaded", session, data: "{}" };
}

const outcomes = (settled: readonly PromiseSettledResult<unknown>[]): string[] =>
  settled.map(({ status }) => status);

test("writes of one turn of the event loop are one transaction and one publishing, in order", async () => {
  const { add, names, log } = setup();
  expect(await Promise.all(["c", "a", "b"].map((name) => add(name)))).toEqual(["c", "a", "b"]);
  expect(names()).toEqual(["c", "a", "b"]);
  expect(log).toEqual(["BEGIN IMMEDIATE", "COMMIT", "published c a b"]);
});

test("a write waits for the end of the turn, and resolves after what it told was published", async () => {
  const { add, names, log } = setup();
  const asked = add("a").then(() => void log.push("resolved"));
  await Promise.resolve();
  expect(names()).toEqual([]);
  await asked;
  expect(log).toEqual(["BEGIN IMMEDIATE", "COMMIT", "published a", "resolved"]);
});

test("what is asked for because of a commit goes into the next one", async () => {
  const { add, log } = setup();
  await add("a").then(() => add("b"));
  expect(log.filter((entry) => entry.startsWith("published"))).toEqual(["published a", "published b"]);
});

test("a flood is committed in parts, in order, so that the first does not wait for the last", async () => {
  const { add, names, log } = setup();
  const many = Array.from({ length: 2500 }, (_, index) => String(index));
  const transactionsAtFirst = add("first").then(() => log.filter((entry) => entry === "COMMIT").length);
  await Promise.all(many.map((name) => add(name)));
  expect(await transactionsAtFirst).toBe(1);
  expect(names()).toEqual(["first", ...many]);
  expect(log.filter((entry) => entry === "COMMIT")).toHaveLength(3);
});

test("where one throws, each is done in a transaction of its own, in order, and it alone is refused", async () => {
  const { add, names, log } = setup();
  await add("taken");
  log.length = 0;
  const settled = await Promise.allSettled([add("a"), add("taken"), add("b")]);
  expect(outcomes(settled)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(names()).toEqual(["taken", "a", "b"]);
  expect(log.filter((entry) => entry.startsWith("published"))).toEqual(["published a", "published b"]);
  expect(log.filter((entry) => entry === "ROLLBACK")).toHaveLength(2);
});

test("a commit that fails is rolled back like a write that throws", async () => {
  const { add, names, log } = setup();
  const settled = await Promise.allSettled([add("a"), add("orphan", "nobody"), add("b")]);
  expect(outcomes(settled)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(names()).toEqual(["a", "b"]);
  expect(log.filter((entry) => entry.startsWith("published"))).toEqual(["published a", "published b"]);
});

test("after a write that failed the next one is stored", async () => {
  const { add, names } = setup();
  expect(await refusalOf(add("orphan", "nobody"))).toBe("storage");
  await add("a");
  expect(names()).toEqual(["a"]);
});

test("a write that tells nothing publishes nothing", async () => {
  const { commit, log } = setup();
  expect(await commit.write(() => 42)).toBe(42);
  expect(log).toEqual(["BEGIN IMMEDIATE", "COMMIT"]);
});

test("closing commits what waits at once, and takes nothing more", async () => {
  const { commit, add, names } = setup();
  const waiting = add("a");
  commit.close();
  expect(names()).toEqual(["a"]);
  expect(await waiting).toBe("a");
  expect(await refusalOf(add("b"))).toBe("storage");
  expect(names()).toEqual(["a"]);
});
