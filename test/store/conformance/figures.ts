import { describe, expect, test } from "bun:test";
import { Holder } from "../holder.ts";
import { accepted, noon, type OpenStore } from "../store-under-test.ts";

const day = 24 * 60 * 60 * 1000;

/** Figures over all sessions. */
export function figureConformance(open: OpenStore): void {
  describe("totals", () => {
    test("an empty store has nothing to count", async () => {
      const { store } = open();
      expect(await store.totals()).toEqual({ pending: 0, oldestPendingAt: null, turns: 0, lastTurnAt: null });
      expect(await store.tokensOnDayOf(noon)).toBe(0);
    });

    test("pending messages are counted over all sessions, the oldest by when it was accepted", async () => {
      const { store } = open();
      await accepted(store, "a", ["1", "2"], { at: noon - 500 });
      await accepted(store, "b", ["1"], { at: noon });
      await accepted(store, "c", ["1"], { at: noon + 500 });
      const holder = new Holder(store);
      const taken = await holder.take("a");
      expect(await store.totals()).toMatchObject({ pending: 3, oldestPendingAt: noon - 500 });
      await holder.take("a");
      expect(await store.totals()).toMatchObject({ pending: 2, oldestPendingAt: noon });
      await holder.putBack(taken);
      expect(await store.totals()).toMatchObject({ pending: 3, oldestPendingAt: noon - 500 });
      await store.sessions.delete("a", noon);
      expect(await store.totals()).toMatchObject({ pending: 2, oldestPendingAt: noon });
    });

    test("turns that ended well are counted, and stay counted when their session is deleted", async () => {
      const { store } = open();
      const holder = new Holder(store);
      await accepted(store, "a", ["1", "2"]);
      await holder.done(await holder.take("a"), { at: noon + 5 });
      await holder.done(await holder.take("a"), { at: noon + 3 });
      await store.sessions.delete("a", noon);
      expect(await store.totals()).toMatchObject({ pending: 0, turns: 2, lastTurnAt: noon + 5 });
    });

    test("tokens are counted on the UTC day on which their turn ended, input and output together", async () => {
      const { store } = open();
      const holder = new Holder(store);
      await accepted(store, "a", ["1", "2", "3"]);
      const midnight = Math.ceil(noon / day) * day;
      const usage = { inputTokens: 100, outputTokens: 20 };
      await holder.done(await holder.take("a"), { usage, at: midnight - 1 });
      await holder.done(await holder.take("a"), { usage, at: midnight });
      await holder.done(await holder.take("a"), { usage: { ...usage, estimated: true }, at: midnight + 1 });
      expect(await store.tokensOnDayOf(noon)).toBe(120);
      expect(await store.tokensOnDayOf(midnight + day - 1)).toBe(240);
      expect(await store.tokensOnDayOf(midnight + day)).toBe(0);
    });
  });
}
