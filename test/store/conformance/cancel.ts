import { describe, expect, test } from "bun:test";
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

/** Cancelling: of cancel and finish the first stored wins. */
export function cancelConformance(open: OpenStore): void {
  describe("cancel", () => {
    test("a pending message is cancelled, and no longer counted or taken", async () => {
      const under = open();
      const { store } = under;
      const [first, second] = await accepted(store, "a", ["one", "two"]);
      const result = await store.messages.cancel(first?.id ?? "", noon + 1);
      expect(result).toMatchObject({
        isCancelled: true,
        message: { id: first?.id, status: "cancelled", finishedAt: noon + 1 },
      });
      expect(told(under).at(-1)).toEqual({
        type: "message.cancelled",
        data: { session: "a", message: first?.id, seq: 1 },
      });
      expect((await sessionOf(store, "a")).pending).toBe(1);
      expect(await new Holder(store).take("a")).toMatchObject({ id: second?.id });
    });

    test("a message that waits for a retry waits for nothing more", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      await holder.putBack(await holder.take("a"), { retryAt: noon + 2000 });
      await store.messages.cancel(id, noon);
      expect(await messageOf(store, id)).toMatchObject({ status: "cancelled", retryAt: null });
      expect(await store.messages.head("a")).toBeUndefined();
    });

    test("a message in flight is cancelled, and its turn ends nowhere", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      const taken = await holder.take("a");
      expect(await store.messages.cancel(id, noon)).toMatchObject({ isCancelled: true });
      expect(await holder.done(taken)).toBeUndefined();
      expect(await holder.putBack(taken)).toBeUndefined();
      expect(await messageOf(store, id)).toMatchObject({ status: "cancelled", reply: null });
      expect(await sessionOf(store, "a")).toMatchObject({ pending: 0, turns: 0, lastInputTokens: null });
    });

    test("of cancel and finish in the same moment the first wins, and the other hears of it", async () => {
      const { store } = open();
      const holder = new Holder(store);
      await accepted(store, "a", ["one", "two"]);
      const one = await holder.take("a");
      const [done, lost] = await Promise.all([holder.done(one), store.messages.cancel(one.id, noon)]);
      expect(done).toBeDefined();
      expect(lost).toMatchObject({ isCancelled: false, message: { status: "done", reply: "fine" } });

      const two = await holder.take("a");
      const [won, late] = await Promise.all([store.messages.cancel(two.id, noon), holder.done(two)]);
      expect(won).toMatchObject({ isCancelled: true });
      expect(late).toBeUndefined();
    });

    test("a message that has ended stays as it is, and is told of once", async () => {
      const under = open();
      const { id } = await acceptedOne(under.store, "a");
      await under.store.messages.cancel(id, noon);
      expect(await under.store.messages.cancel(id, noon + 50)).toMatchObject({
        isCancelled: false,
        message: { status: "cancelled", finishedAt: noon },
      });
      expect(told(under).filter(({ type }) => type === "message.cancelled")).toHaveLength(1);
      expect((await sessionOf(under.store, "a")).pending).toBe(0);
    });

    test("a message that is not there is not cancelled", async () => {
      const { store } = open();
      expect(await store.messages.cancel("msg_none", noon)).toBeUndefined();
    });
  });
}
