import { describe, expect, test } from "bun:test";
import type { Page, PageRequest } from "../../../src/store/page.ts";
import type { Store } from "../../../src/store/store.ts";
import { Holder } from "../holder.ts";
import { accepted, newSession, noon, refusalOf, type OpenStore } from "../store-under-test.ts";

/** Walks a list to its end. */
async function walk<T>(limit: number, page: (request: PageRequest) => Promise<Page<T>>): Promise<T[][]> {
  const pages: T[][] = [];
  let cursor: string | null = null;
  do {
    const { items, next }: Page<T> = await page({ limit, cursor });
    pages.push(items);
    cursor = next;
  } while (cursor !== null);
  return pages;
}

const all = { limit: 1000, cursor: null };

async function makeSessions(store: Store, ids: readonly string[]): Promise<void> {
  for (const id of ids) await store.sessions.create(newSession(id), noon);
}

async function sessionIds(store: Store, label?: { key: string; value: string }): Promise<string[]> {
  const page = await store.sessions.list(label ? { label } : {}, all);
  return page.items.map(({ id }) => id);
}

/** Lists, their filters and cursors. */
export function listConformance(open: OpenStore): void {
  describe("lists", () => {
    test("sessions are listed newest first, in pages that meet", async () => {
      const { store } = open();
      await makeSessions(store, ["a", "b", "c", "d", "e"]);
      const pages = await walk(2, (request) => store.sessions.list({}, request));
      expect(pages.map((page) => page.map(({ id }) => id))).toEqual([["e", "d"], ["c", "b"], ["a"]]);
    });

    test("a last page that is just full has nothing after it", async () => {
      const { store } = open();
      await makeSessions(store, ["a", "b"]);
      expect(await store.sessions.list({}, { limit: 2, cursor: null })).toMatchObject({ next: null });
      expect(await store.messages.list({}, { limit: 2, cursor: null })).toEqual({ items: [], next: null });
    });

    test("a page of long messages has fewer of them, and the pages meet", async () => {
      const { store } = open();
      const long = "x".repeat(5_000_000);
      await accepted(store, "a", ["first", long, "second", long, long.repeat(3), "last"]);
      const pages = await walk(1000, (request) => store.messages.list({ session: "a" }, request));
      expect(pages.map((page) => page.map(({ seq }) => seq))).toEqual([[1, 2, 3], [4], [5], [6]]);
    });

    test("what is made while a list is walked neither repeats nor hides anything of it", async () => {
      const { store } = open();
      await makeSessions(store, ["a", "b", "c"]);
      const { next } = await store.sessions.list({}, { limit: 1, cursor: null });
      await makeSessions(store, ["d"]);
      await store.sessions.delete("c", noon);
      const rest = await store.sessions.list({}, { limit: 9, cursor: next });
      expect(rest.items.map(({ id }) => id)).toEqual(["b", "a"]);
    });

    test("sessions are found by a label's key and whole value", async () => {
      const { store } = open();
      const labelled: [string, Record<string, string>][] = [
        ["a", { project: "x", team: "y" }],
        ["b", { project: "xy" }],
        ["c", { other: "x" }],
        ["d", {}],
        ["e", { project: "x" }],
      ];
      for (const [id, labels] of labelled) await store.sessions.create(newSession(id, { labels }), noon);
      expect(await sessionIds(store, { key: "project", value: "x" })).toEqual(["e", "a"]);
      expect(await sessionIds(store, { key: "project", value: "X" })).toEqual([]);
      expect(await sessionIds(store)).toEqual(["e", "d", "c", "b", "a"]);
    });

    const labels: [string, string, string][] = [
      ["quotes", `quo"te`, `va"lue`],
      ["backslashes", "back\\slash", "a\\nb"],
      ["control characters", "line\nbreak", "tab\t"],
      ["NUL", "nul\0key", "nul\0value"],
      ["characters beyond ASCII", "ключ", "\u{1f600}"],
      ["what paths and patterns are made of", "$.path[0]", "%_*?"],
    ];

    test.each(labels)("a label with %s is found as it is", async (_name, key, value) => {
      const { store } = open();
      await store.sessions.create(newSession("a", { labels: { [key]: value } }), noon);
      await store.sessions.create(newSession("b", { labels: { [key]: `${value}!` } }), noon);
      expect(await sessionIds(store, { key, value })).toEqual(["a"]);
    });

    test("messages of a session are listed by seq, in pages that meet", async () => {
      const { store } = open();
      await accepted(store, "b", ["other"]);
      await accepted(store, "a", ["1", "2", "3", "4", "5"]);
      const pages = await walk(2, (request) => store.messages.list({ session: "a" }, request));
      expect(pages.map((page) => page.map(({ seq }) => seq))).toEqual([[1, 2], [3, 4], [5]]);
    });

    test("messages of all sessions are listed in the order in which they were accepted", async () => {
      const { store } = open();
      for (const session of ["a", "b", "a", "c"]) await accepted(store, session, ["x"]);
      const pages = await walk(3, (request) => store.messages.list({}, request));
      expect(pages.flat().map(({ session, seq }) => session + seq)).toEqual(["a1", "b1", "a2", "c1"]);
    });

    test.each(["pending", "running", "done", "failed", "cancelled"] as const)(
      "the messages that are %s are found, in one session and in all",
      async (status) => {
        const { store } = open();
        for (const session of ["a", "b"]) {
          const messages = await accepted(store, session, [
            "done",
            "failed",
            "running",
            "cancelled",
            "pending",
          ]);
          const holder = new Holder(store);
          await holder.done(await holder.take(session));
          await holder.fail(await holder.take(session));
          await holder.take(session);
          await store.messages.cancel(messages[3]?.id ?? "", noon);
        }
        const inOne = await store.messages.list({ session: "b", status }, all);
        expect(inOne.items.map(({ session, content }) => [session, content])).toEqual([["b", status]]);
        const inAll = await store.messages.list({ status }, all);
        expect(inAll.items.map(({ session, content }) => [session, content])).toEqual([
          ["a", status],
          ["b", status],
        ]);
      },
    );

    test("`after` leaves out what comes before, beside cursor and status", async () => {
      const { store } = open();
      await accepted(store, "a", ["1", "2", "3", "4"]);
      const filter = { session: "a", after: 2, status: "pending" } as const;
      const pages = await walk(1, (request) => store.messages.list(filter, request));
      expect(pages.flat().map(({ seq }) => seq)).toEqual([3, 4]);
    });

    test("`after` without a session is refused", async () => {
      const { store } = open();
      expect(await refusalOf(store.messages.list({ after: 2 }, all))).toBe("malformed");
    });

    test.each(["", "x", "n1", "bjE=x", "%%%", "bm4x", "null", "n".repeat(2000)])(
      "a cursor that no list returned is refused: %j",
      async (cursor) => {
        const { store } = open();
        await accepted(store, "a", ["1"]);
        const request = { limit: 1, cursor };
        expect(await refusalOf(store.messages.list({}, request))).toBe("malformed");
        expect(await refusalOf(store.messages.list({ session: "a" }, request))).toBe("malformed");
        expect(await refusalOf(store.sessions.list({}, request))).toBe("malformed");
      },
    );
  });
}
