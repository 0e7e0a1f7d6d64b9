import { afterEach, expect, test } from "bun:test";
import { openDatabase } from "../../src/platform/bun.ts";
import type { Database } from "../../src/platform/platform.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../../src/store/store.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { accept, accepted, refusalOf } from "./store-under-test.ts";

const opened = new Set<Store>();

afterEach(async () => {
  for (const store of opened) await store.close();
  opened.clear();
});

function setup(): { store: Store; clock: ManualClock; fill: () => void; free: () => void } {
  const clock = new ManualClock();
  const database: Database = openDatabase(":memory:");
  const store = openSqliteStore({
    open: () => database,
    clock,
    publish: () => {},
    backupPath: (version) => `unused.${version}`,
  });
  opened.add(store);
  const pages = (): number => Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
  return {
    store,
    clock,
    fill: () => database.exec(`PRAGMA max_page_count = ${pages()}`),
    free: () => database.exec("PRAGMA max_page_count = 1000000"),
  };
}

const long = "x".repeat(200_000);

test("a write that finds no room is known, and known to be over when the next one finds some", async () => {
  const { store, clock, fill, free } = setup();
  expect(store.fault()).toBeNull();
  fill();
  expect(await refusalOf(accept(store, "a", [long]))).toBe("storage_full");
  expect(store.fault()).toMatchObject({ code: "storage_full" });
  free();
  await accepted(store, "a", [long]);
  expect(store.fault()).toBeNull();
  expect(clock.waiting).toBe(0);
});

test("that there is room again is found out without anybody's write, and the trial leaves nothing", async () => {
  const { store, clock, fill, free } = setup();
  fill();
  await refusalOf(accept(store, "a", [long]));
  await clock.advance(10_000);
  expect(store.fault()).toMatchObject({ code: "storage_full" });
  free();
  await clock.advance(1000);
  expect(store.fault()).toBeNull();
  expect(clock.waiting).toBe(0);
  expect((await store.sessions.list({}, { limit: 10, cursor: null })).items).toEqual([]);
});

test("what is refused for another reason is no fault of the store", async () => {
  const { store } = setup();
  await accepted(store, "a", ["one"]);
  expect(await accept(store, "a", ["two"], { maxPending: 1 })).toMatchObject({ kind: "full" });
  expect(store.fault()).toBeNull();
});

test("a store that is closed while it has no room leaves no timer", async () => {
  const { store, clock, fill } = setup();
  fill();
  await refusalOf(accept(store, "a", [long]));
  await store.close();
  expect(clock.waiting).toBe(0);
});
