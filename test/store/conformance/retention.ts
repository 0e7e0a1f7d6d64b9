import { describe, expect, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { Holder } from "../holder.ts";
import { accept, accepted, newSession, noon, told, type OpenStore } from "../store-under-test.ts";

const day = 86_400_000;

/** Deletes every message that may go and ended before a time. */
async function deleteMessages(store: Store, before: number): Promise<void> {
  let after: number | null = 0;
  while (after !== null) after = await store.retention.messages(after, before);
}

async function deleteSessions(store: Store, before: number): Promise<string[]> {
  const deleted: string[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const step = await store.retention.sessions(after, before, noon);
    deleted.push(...step.deleted);
    after = step.next;
  }
  return deleted;
}

async function contents(store: Store): Promise<string[]> {
  const { items } = await store.messages.list({}, { limit: 1000, cursor: null });
  return items.map(({ content }) => content);
}

/** Deleting what is old. */
export function retentionConformance(open: OpenStore): void {
  describe("retention", () => {
    test("of what ended, only what is older and in no present context goes", async () => {
      const { store } = open();
      const holder = new Holder(store);
      const [, , cancelled] = await accepted(store, "a", [
        "before",
        "failed",
        "cancelled",
        "in context",
        "pending",
      ]);
      await holder.done(await holder.take("a"), { rollover: { contextFrom: 4 }, at: noon + 1 });
      await holder.fail(await holder.take("a"), noon + 2);
      await store.messages.cancel(cancelled?.id ?? "", noon + 3);
      await holder.done(await holder.take("a"), { at: noon + 4 });
      await deleteMessages(store, noon + 1);
      expect(await contents(store)).toEqual(["before", "failed", "cancelled", "in context", "pending"]);
      await deleteMessages(store, noon + 3);
      expect(await contents(store)).toEqual(["cancelled", "in context", "pending"]);
      await deleteMessages(store, noon + 100 * day);
      expect(await contents(store)).toEqual(["in context", "pending"]);
    });

    test("what failed or was cancelled goes even where a context reaches further back", async () => {
      const { store } = open();
      const holder = new Holder(store);
      await accepted(store, "a", ["kept", "failed", "kept too"]);
      await holder.done(await holder.take("a"));
      await holder.fail(await holder.take("a"));
      await holder.done(await holder.take("a"));
      await deleteMessages(store, noon + 1);
      expect(await contents(store)).toEqual(["kept", "kept too"]);
    });

    test("an Idempotency-Key goes with the last of its messages, a note with its own", async () => {
      const { store } = open();
      const holder = new Holder(store);
      const idempotency = { key: "k", hash: "h" };
      await accepted(store, "a", ["one", "two"], { idempotency });
      await store.notes.add(["a"], "went along", noon);
      await holder.done(await holder.take("a"), { rollover: { contextFrom: 3 } });
      await store.notes.add(["a"], "waits", noon);
      await deleteMessages(store, noon + 1);
      expect((await accept(store, "a", ["one", "two"], { idempotency })).kind).toBe("replayed");
      expect((await store.notes.list("a")).map(({ text }) => text)).toEqual(["waits"]);
      await holder.fail(await holder.take("a"));
      await deleteMessages(store, noon + 1);
      expect((await accept(store, "a", ["one", "two"], { idempotency })).kind).toBe("accepted");
    });

    test("a session that was left empty goes when it was untouched as long, and that is told", async () => {
      const under = open();
      const { store } = under;
      await store.sessions.create(newSession("empty"), noon);
      await store.sessions.create(newSession("younger"), noon + day);
      await accepted(store, "pending", ["hello"]);
      const holder = new Holder(store);
      await accepted(store, "emptied", ["fails"]);
      await holder.fail(await holder.take("emptied"));
      expect(await deleteSessions(store, noon + 1)).toEqual(["empty"]);
      await deleteMessages(store, noon + 1);
      expect(await deleteSessions(store, noon)).toEqual([]);
      expect(await deleteSessions(store, noon + 1)).toEqual(["emptied"]);
      expect(told(under).filter(({ type }) => type === "session.deleted")).toEqual([
        { type: "session.deleted", data: { session: "empty" } },
        { type: "session.deleted", data: { session: "emptied" } },
      ]);
      expect(await store.sessions.get("younger")).toBeDefined();
      expect(await store.sessions.get("pending")).toBeDefined();
    });

    test("one step looks at a bounded number, and all steps together at everything", async () => {
      const { store } = open();
      const holder = new Holder(store);
      await accepted(
        store,
        "a",
        Array.from({ length: 1200 }, (_, n) => String(n)),
      );
      const taken = await holder.takeBatch("a", 1200);
      await holder.failAll(taken.map(({ id }) => id));
      const first = await store.retention.messages(0, noon + 1);
      const left = (await store.messages.list({}, { limit: 2000, cursor: null })).items.length;
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThan(1200);
      expect(first).toBeGreaterThan(0);
      await deleteMessages(store, noon + 1);
      expect(await contents(store)).toEqual([]);
    });

    test("the oldest events go, as far as they are older", async () => {
      const { store } = open();
      for (const [index, at] of [noon, noon, noon + 5, noon + 5].entries())
        await store.events.append([{ type: "session.loaded", data: { session: String(index) } }], at);
      expect(await store.retention.events(noon)).toBe(false);
      expect((await store.events.bounds()).oldest).toBe(1);
      expect(await store.retention.events(noon + 5)).toBe(false);
      expect((await store.events.after(0, 10)).map(({ session }) => session)).toEqual(["2", "3"]);
      expect((await store.events.bounds()).oldest).toBe(3);
    });
  });
}
