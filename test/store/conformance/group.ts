import { describe, expect, test } from "bun:test";
import {
  accept,
  accepted,
  newSession,
  noon,
  sessionOf,
  toldTypes,
  refusalOf,
  type OpenStore,
} from "../store-under-test.ts";

/** Writes that are asked for together. */
export function groupConformance(open: OpenStore): void {
  describe("writes", () => {
    test("those asked for in one turn of the event loop are committed together, in the order of asking", async () => {
      const under = open();
      await Promise.all(["c", "a", "b"].map((id) => under.store.sessions.create(newSession(id), noon)));
      expect(under.published.map((events) => events.map(({ session }) => session))).toEqual([
        ["c", "a", "b"],
      ]);
    });

    test("one that fails takes no other with it", async () => {
      const under = open();
      const { store } = under;
      const taken = { id: "msg_1", content: "x", retryOf: null };
      await accept(store, "a", [], { messages: [taken] });
      const results = await Promise.allSettled([
        accept(store, "b", ["before"]),
        accept(store, "c", [], { messages: [taken] }),
        accept(store, "b", ["after"]),
      ]);
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(await store.sessions.get("c")).toBeUndefined();
      const { items } = await store.messages.list({ session: "b" }, { limit: 9, cursor: null });
      expect(items.map(({ content }) => content)).toEqual(["before", "after"]);
      expect(toldTypes(under).filter((type) => type === "message.accepted")).toHaveLength(3);
    });

    test("what was committed is published before its promise resolves", async () => {
      const under = open();
      const counts: number[] = [];
      await accepted(under.store, "a", ["one"]).then(() => counts.push(under.published.length));
      expect(counts).toEqual([1]);
    });

    test("a read sees every write that has resolved", async () => {
      const { store } = open();
      for (const turn of [1, 2, 3]) {
        await accept(store, "a", ["x"]);
        expect((await sessionOf(store, "a")).pending).toBe(turn);
      }
    });

    test("closing commits what waits, and what comes later is refused", async () => {
      const under = open();
      const waiting = accept(under.store, "a", ["one"]);
      const { store } = await under.reopen();
      expect(await waiting).toMatchObject({ kind: "accepted" });
      expect((await sessionOf(store, "a")).pending).toBe(1);
      expect(await refusalOf(accept(under.store, "a", ["two"]))).toBe("storage");
    });

    test("reading from a store that was closed is refused in the store's words", async () => {
      const { store } = open();
      await store.close();
      expect(await refusalOf(store.sessions.get("a"))).toBe("storage");
      expect(await refusalOf(store.totals())).toBe("storage");
      expect(await refusalOf(store.events.bounds())).toBe("storage");
    });

    test("it may be closed twice", async () => {
      const { store } = open();
      await store.close();
      await store.close();
    });
  });
}
