import { describe, expect, test } from "bun:test";
import { Holder } from "../holder.ts";
import { accepted, acceptedOne, newSession, noon, type OpenStore } from "../store-under-test.ts";

/** What the daemon says to sessions. */
export function noteConformance(open: OpenStore): void {
  describe("notes", () => {
    test("a note waits for the next turn, over a restart too, and is no message", async () => {
      const under = open();
      await under.store.sessions.create(newSession("a"), noon);
      await under.store.notes.add(["a"], "restarted", noon);
      const { store } = await under.reopen();
      expect(await store.notes.pending("a")).toBe("restarted");
      expect(await store.notes.list("a")).toEqual([{ text: "restarted", at: noon, message: null }]);
      expect(await store.messages.list({ session: "a" }, { limit: 9, cursor: null })).toMatchObject({
        items: [],
      });
      expect(await acceptedOne(store, "a")).toMatchObject({ seq: 1 });
    });

    test("no second one joins it before a turn has run", async () => {
      const { store } = open();
      await store.notes.add(["a", "b"], "first", noon);
      await store.notes.add(["a", "c"], "second", noon + 1);
      const texts = await Promise.all(["a", "b", "c"].map((session) => store.notes.pending(session)));
      expect(texts).toEqual(["first", "first", "second"]);
      expect(await store.notes.list("a")).toHaveLength(1);
    });

    test("it went along with the turn that ended well, and stands before it in the context", async () => {
      const { store } = open();
      await accepted(store, "a", ["one", "two"]);
      const holder = new Holder(store);
      await holder.done(await holder.take("a"), { reply: "1" });
      await store.notes.add(["a"], "restarted", noon);
      const second = await holder.take("a");
      await holder.done(second, { reply: "2" });
      expect(await store.notes.pending("a")).toBeNull();
      expect(await store.notes.list("a")).toEqual([{ text: "restarted", at: noon, message: second.id }]);
      expect(await store.messages.context("a", 1, 9)).toEqual([
        { seq: 1, note: null, content: "one", reply: "1" },
        { seq: 2, note: "restarted", content: "two", reply: "2" },
      ]);
      await store.notes.add(["a"], "again", noon);
      expect(await store.notes.pending("a")).toBe("again");
    });

    test("a turn that failed, or was put back, did not take it along", async () => {
      const { store } = open();
      await accepted(store, "a", ["one", "two"]);
      await store.notes.add(["a"], "restarted", noon);
      const holder = new Holder(store);
      await holder.putBack(await holder.take("a"));
      await holder.fail(await holder.take("a"));
      expect(await store.notes.pending("a")).toBe("restarted");
    });

    test("with a batch it goes along with the first of its messages", async () => {
      const { store } = open();
      await accepted(store, "a", ["one", "two"]);
      await store.notes.add(["a"], "restarted", noon);
      const holder = new Holder(store);
      const ids = (await holder.takeBatch("a", 2)).map(({ id }) => id);
      await holder.doneAll(ids, { reply: "both" });
      expect(await store.notes.list("a")).toMatchObject([{ message: ids[0] ?? "" }]);
      expect(await store.messages.context("a", 1, 9)).toMatchObject([
        { note: "restarted", content: "one\n\ntwo", reply: "both" },
      ]);
    });

    test("it is gone with its session", async () => {
      const { store } = open();
      await acceptedOne(store, "a");
      await store.notes.add(["a"], "restarted", noon);
      await store.sessions.delete("a", noon);
      await acceptedOne(store, "a");
      expect(await store.notes.pending("a")).toBeNull();
      expect(await store.notes.list("a")).toEqual([]);
    });
  });
}
