import { describe, expect, test } from "bun:test";
import { Holder } from "../holder.ts";
import {
  accepted,
  messageOf,
  noon,
  sessionOf,
  told,
  type OpenStore,
  type StoreUnderTest,
} from "../store-under-test.ts";

/** A batch of three in flight, with a fourth message behind it. */
async function setup(open: OpenStore) {
  const under = open();
  await accepted(under.store, "a", ["one", "two", "three", "four"]);
  const holder = new Holder(under.store);
  const batch = await holder.takeBatch("a", 3);
  return { ...under, holder, batch, ids: batch.map(({ id }) => id) };
}

function statuses({ store }: StoreUnderTest, ids: readonly string[]): Promise<string[]> {
  return Promise.all(ids.map(async (id) => (await messageOf(store, id)).status));
}

/** Several messages in one turn. */
export function batchConformance(open: OpenStore): void {
  describe("batch", () => {
    test("the pending messages with the lowest seq are taken together, each told of and counted", async () => {
      const under = await setup(open);
      const { store, batch } = under;
      expect(batch.map(({ seq, status, attempts }) => [seq, status, attempts])).toEqual([
        [1, "running", 1],
        [2, "running", 1],
        [3, "running", 1],
      ]);
      expect((await sessionOf(store, "a")).pending).toBe(1);
      const started = told(under).filter(({ type }) => type === "message.started");
      expect(started.map(({ data }) => data["seq"])).toEqual([1, 2, 3]);
    });

    test("all end together: the last has reply and usage, the others name it, and it is one turn", async () => {
      const under = await setup(open);
      const { store, holder, ids } = under;
      const usage = { inputTokens: 30, outputTokens: 3 };
      const session = await holder.doneAll(ids, { reply: "all three", usage });
      expect(session).toMatchObject({ turns: 1, lastInputTokens: 30, pending: 1 });
      const ended = await Promise.all(ids.map((id) => messageOf(store, id)));
      expect(
        ended.map(({ status, reply, repliedBy, usage: own }) => [status, reply, repliedBy, own]),
      ).toEqual([
        ["done", null, ids[2] ?? "", null],
        ["done", null, ids[2] ?? "", null],
        ["done", "all three", null, usage],
      ]);
      expect(await store.tokensOnDayOf(noon)).toBe(33);
      const done = told(under).filter(({ type }) => type === "message.done");
      expect(done.map(({ data }) => [data["seq"], data["usage"]])).toEqual([
        [1, null],
        [2, null],
        [3, usage],
      ]);
    });

    test("in the context it is one exchange: what was said joined by blank lines, and the reply", async () => {
      const { store, holder, ids } = await setup(open);
      await holder.doneAll(ids, { reply: "all three" });
      expect(await store.messages.context("a", 1, 4)).toMatchObject([
        { content: "one\n\ntwo\n\nthree", reply: "all three" },
      ]);
    });

    test("all fail together", async () => {
      const under = await setup(open);
      await under.holder.failAll(under.ids);
      expect(await statuses(under, under.ids)).toEqual(["failed", "failed", "failed"]);
      expect(await sessionOf(under.store, "a")).toMatchObject({ turns: 0, pending: 1 });
    });

    test("all are put back together, under their own seq", async () => {
      const under = await setup(open);
      await under.holder.putBackAll(under.ids, { reason: "drain" });
      expect(await sessionOf(under.store, "a")).toMatchObject({ pending: 4 });
      const again = await under.holder.takeBatch("a", 9);
      expect(again.map(({ seq, attempts }) => [seq, attempts])).toEqual([
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
      ]);
    });

    test("where one was cancelled no outcome is stored, and the others go back to be taken alone", async () => {
      const under = await setup(open);
      const { store, holder, ids } = under;
      await store.messages.cancel(ids[1] ?? "", noon);
      expect(await holder.doneAll(ids)).toBeUndefined();
      expect(await statuses(under, ids)).toEqual(["pending", "cancelled", "pending"]);
      expect(await sessionOf(store, "a")).toMatchObject({ pending: 3, turns: 0 });
      expect((await messageOf(store, ids[0] ?? "")).attempts).toBe(0);
      expect((await holder.takeBatch("a", 9)).map(({ seq }) => seq)).toEqual([1]);
      expect((await holder.takeBatch("a", 9)).map(({ seq }) => seq)).toEqual([3]);
      expect((await holder.takeBatch("a", 9)).map(({ seq }) => seq)).toEqual([4]);
    });

    test("a message that is to be taken alone ends the batch before it", async () => {
      const { store, holder, ids } = await setup(open);
      await holder.putBackAll(ids.slice(2), { isAlone: true });
      await holder.putBackAll(ids.slice(0, 2));
      expect((await holder.takeBatch("a", 9)).map(({ seq }) => seq)).toEqual([1, 2]);
      expect(await store.messages.head("a")).toMatchObject({ seq: 3 });
    });

    test("a stranger ends none of it", async () => {
      const under = await setup(open);
      const stranger = new Holder(under.store, { generator: "gen_2" });
      expect(await stranger.doneAll(under.ids)).toBeUndefined();
      expect(await stranger.putBackAll(under.ids)).toBeUndefined();
      expect(await statuses(under, under.ids)).toEqual(["running", "running", "running"]);
    });

    test("a generator that died puts all of it back", async () => {
      const { store, holder } = await setup(open);
      expect(await store.messages.release(holder.lease, noon)).toBe(3);
      expect(await holder.takeBatch("a", 4)).toHaveLength(4);
    });

    test("a crash puts all of it back; the second takes it apart before it blames one", async () => {
      const { store, ids, holder } = await setup(open);
      expect(await store.messages.recover("boot_2", 1, noon)).toEqual({ requeued: 3, failed: 0 });
      expect((await sessionOf(store, "a")).pending).toBe(4);
      expect(await holder.takeBatch("a", 3)).toHaveLength(3);
      expect(await store.messages.recover("boot_3", 1, noon)).toEqual({ requeued: 3, failed: 0 });
      expect(await messageOf(store, ids[0] ?? "")).toMatchObject({ status: "pending", attempts: 0 });
      expect(await holder.takeBatch("a", 3)).toHaveLength(1);
      expect(await store.messages.recover("boot_4", 1, noon)).toEqual({ requeued: 0, failed: 1 });
    });

    test("a crash blames none of it either where all others but one were cancelled", async () => {
      const { store, ids, holder } = await setup(open);
      const [first = "", second = "", third = ""] = ids;
      await store.messages.recover("boot_2", 1, noon);
      await holder.takeBatch("a", 3);
      await store.messages.cancel(second, noon);
      await store.messages.cancel(third, noon);
      expect(await store.messages.recover("boot_3", 1, noon)).toEqual({ requeued: 1, failed: 0 });
      expect(await messageOf(store, first)).toMatchObject({ status: "pending", attempts: 0 });
      expect((await holder.takeBatch("a", 9)).map(({ seq }) => seq)).toEqual([1]);
      expect(await store.messages.recover("boot_4", 1, noon)).toEqual({ requeued: 0, failed: 1 });
    });
  });
}
