import { describe, expect, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { Holder } from "../holder.ts";
import {
  accepted,
  acceptedOne,
  messageOf,
  noon,
  sessionOf,
  told,
  type OpenStore,
} from "../store-under-test.ts";

/** One start of the daemon that takes the head of `session` and dies: the next start finds it in flight. */
async function crash(store: Store, session: string, boot: number, maxAttempts = 5) {
  await new Holder(store, { boot: `boot_${boot}` }).take(session);
  return store.messages.recover(`boot_${boot + 1}`, maxAttempts, noon + boot);
}

/** What a start finds in flight, and what a generator that died held. */
export function recoveryConformance(open: OpenStore): void {
  describe("recover", () => {
    test("a message found in flight is pending again under its own seq, before those after it", async () => {
      const under = open();
      const { store } = under;
      const [first] = await accepted(store, "a", ["one", "two"]);
      expect(await crash(store, "a", 1)).toEqual({ requeued: 1, failed: 0 });
      expect(await messageOf(store, first?.id ?? "")).toMatchObject({
        seq: 1,
        status: "pending",
        attempts: 0,
        startedAt: null,
        error: { kind: "interrupted" },
      });
      expect(await sessionOf(store, "a")).toMatchObject({ pending: 2 });
      expect(await store.messages.head("a")).toMatchObject({ id: first?.id, attempts: 0, retryAt: null });
      expect(told(under).at(-1)).toMatchObject({
        type: "message.requeued",
        data: { session: "a", message: first?.id, seq: 1, reason: "crash", error: { kind: "interrupted" } },
      });
    });

    test("the first crash does not count, each later one that finds the same message does", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const attempts: number[] = [];
      for (const boot of [1, 2, 3]) {
        await crash(store, "a", boot);
        attempts.push((await messageOf(store, id)).attempts);
        expect(await store.messages.head("a")).toMatchObject({ id, crashes: boot });
      }
      expect(attempts).toEqual([0, 1, 2]);
    });

    test("at maxAttempts a message that is found in flight again has failed", async () => {
      const under = open();
      const { store } = under;
      const { id } = await acceptedOne(store, "a");
      await crash(store, "a", 1, 2);
      await crash(store, "a", 2, 2);
      expect(await crash(store, "a", 3, 2)).toEqual({ requeued: 0, failed: 1 });
      expect(await messageOf(store, id)).toMatchObject({
        status: "failed",
        attempts: 2,
        error: { kind: "interrupted" },
        finishedAt: noon + 3,
      });
      expect(await sessionOf(store, "a")).toMatchObject({ pending: 0 });
      expect(told(under).at(-1)).toMatchObject({ type: "message.failed", data: { message: id } });
    });

    test("even with maxAttempts 1 the first crash loses nothing", async () => {
      const { store } = open();
      await acceptedOne(store, "a");
      expect(await crash(store, "a", 1, 1)).toEqual({ requeued: 1, failed: 0 });
    });

    test("what this boot holds, and what has ended, is left alone", async () => {
      const { store } = open();
      const holder = new Holder(store, { boot: "boot_now" });
      await accepted(store, "a", ["one", "two"]);
      await holder.done(await holder.take("a"));
      const running = await holder.take("a");
      expect(await store.messages.recover("boot_now", 5, noon)).toEqual({ requeued: 0, failed: 0 });
      expect(await messageOf(store, running.id)).toEqual(running);
    });

    test("all sessions are recovered, and a lease of before holds nothing any more", async () => {
      const under = open();
      await accepted(under.store, "a", ["one"]);
      await accepted(under.store, "b", ["one"]);
      const old = new Holder(under.store);
      const taken = await old.take("a");
      await old.take("b");
      const { store } = await under.reopen();
      expect(await store.messages.recover("boot_2", 5, noon)).toEqual({ requeued: 2, failed: 0 });
      expect(await store.sessions.withPending()).toEqual(["a", "b"]);
      expect(await new Holder(store).done(taken)).toBeUndefined();
    });
  });

  describe("release", () => {
    test("what a generator holds is pending again, uncounted; what others hold is not", async () => {
      const under = open();
      const { store } = under;
      await accepted(store, "a", ["one", "two"]);
      const died = new Holder(store);
      const other = new Holder(store, { generator: "gen_2" });
      const [mine, theirs] = [await died.take("a"), await other.take("a")];
      expect(await store.messages.release(died.lease, noon)).toBe(1);
      expect(await messageOf(store, mine.id)).toMatchObject({ status: "pending", attempts: 0 });
      expect(await messageOf(store, theirs.id)).toEqual(theirs);
      expect((await sessionOf(store, "a")).pending).toBe(1);
      expect(told(under).at(-1)).toMatchObject({ type: "message.requeued", data: { message: mine.id } });
      expect(await died.done(mine)).toBeUndefined();
    });

    test("what other starts hold is taken back uncounted, however often; what this one holds is not", async () => {
      const under = open();
      const { store } = under;
      await accepted(store, "a", ["one"]);
      await accepted(store, "b", ["one"]);
      const [old, present] = [new Holder(store), new Holder(store, { boot: "boot_2" })];
      const [left, mine] = [await old.take("a"), await present.take("b")];
      for (const count of [1, 0]) {
        expect(await store.messages.takeBack("boot_2", noon)).toBe(count);
        expect(await messageOf(store, left.id)).toMatchObject({
          status: "pending",
          attempts: 0,
          error: null,
        });
      }
      expect(await messageOf(store, mine.id)).toEqual(mine);
      expect(told(under).at(-1)).toMatchObject({
        type: "message.requeued",
        data: { message: left.id, reason: "drain" },
      });
      expect(await old.done(left)).toBeUndefined();
    });

    test("who holds nothing releases nothing", async () => {
      const { store } = open();
      await acceptedOne(store, "a");
      expect(await store.messages.release(new Holder(store).lease, noon)).toBe(0);
    });
  });
}
