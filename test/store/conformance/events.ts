import { describe, expect, test } from "bun:test";
import type { NewEvent } from "../../../src/core/events.ts";
import { accept, accepted, noon, refusalOf, type OpenStore } from "../store-under-test.ts";

const unloaded = (session: string): NewEvent => ({ type: "session.unloaded", data: { session } });

/** Stored events. */
export function eventConformance(open: OpenStore): void {
  describe("events", () => {
    test("an empty store has none", async () => {
      const { store } = open();
      expect(await store.events.bounds()).toEqual({ oldest: 0, newest: 0 });
      expect(await store.events.after(0, 10)).toEqual([]);
    });

    test("ids rise in the order of what happened, and are published as they are stored", async () => {
      const under = open();
      await accepted(under.store, "a", ["one", "two"]);
      await under.store.events.append([unloaded("a"), unloaded("b")], noon);
      const stored = await under.store.events.after(0, 100);
      expect(stored.map(({ id }) => id)).toEqual(stored.map(({ id }) => id).toSorted((a, b) => a - b));
      expect(new Set(stored.map(({ id }) => id)).size).toBe(stored.length);
      expect(under.published.flat()).toEqual(stored);
      expect(stored.map(({ type, session }) => [type, session])).toEqual([
        ["session.created", "a"],
        ["message.accepted", "a"],
        ["message.accepted", "a"],
        ["session.unloaded", "a"],
        ["session.unloaded", "b"],
      ]);
    });

    test("the data begins with the time at which it happened", async () => {
      const { store } = open();
      await store.events.append([unloaded("a")], noon);
      const [event] = await store.events.after(0, 1);
      expect(JSON.parse(event?.data ?? "")).toEqual({ at: "2026-03-01T12:00:00.000Z", session: "a" });
    });

    test("an event of no session belongs to none", async () => {
      const { store } = open();
      await store.events.append([{ type: "settings.recovered", data: {} }], noon);
      expect(await store.events.after(0, 1)).toMatchObject([{ type: "settings.recovered", session: null }]);
    });

    test("`after` gives what comes after an id, no more than asked for", async () => {
      const { store } = open();
      await store.events.append(["a", "b", "c", "d"].map(unloaded), noon);
      const { oldest, newest } = await store.events.bounds();
      expect(newest - oldest).toBe(3);
      const sessions = async (after: number, limit: number) =>
        (await store.events.after(after, limit)).map(({ session }) => session);
      expect(await sessions(oldest - 1, 2)).toEqual(["a", "b"]);
      expect(await sessions(oldest, 2)).toEqual(["b", "c"]);
      expect(await sessions(newest, 2)).toEqual([]);
      expect(await sessions(newest + 1000, 2)).toEqual([]);
    });

    test("ids go on where they were when the store is opened anew", async () => {
      const under = open();
      await under.store.events.append([unloaded("a")], noon);
      const before = await under.store.events.bounds();
      const { store } = await under.reopen();
      expect(await store.events.bounds()).toEqual(before);
      await store.events.append([unloaded("b")], noon);
      expect((await store.events.bounds()).newest).toBeGreaterThan(before.newest);
    });

    test("of a write that is refused nothing is told", async () => {
      const under = open();
      const taken = { id: "msg_1", content: "x", retryOf: null };
      await accept(under.store, "a", [], { messages: [taken] });
      const before = await under.store.events.bounds();
      expect(await refusalOf(accept(under.store, "b", [], { messages: [taken] }))).toBe("storage");
      expect(await under.store.events.after(before.newest, 10)).toEqual([]);
      expect(under.published.flat().map(({ session }) => session)).toEqual(["a", "a"]);
    });
  });
}
