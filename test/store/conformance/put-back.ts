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

const overloaded = { kind: "overloaded", message: "busy", status: 503 } as const;

/** Putting messages back, and what counts as an attempt. */
export function putBackConformance(open: OpenStore): void {
  describe("putBack", () => {
    test("a message that was put back is pending again under its own seq, with its last error", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      const session = await holder.putBack(await holder.take("a"), { error: overloaded, at: noon + 4 });
      expect(session).toMatchObject({ pending: 1, turns: 0, lastActivityAt: noon + 4 });
      expect(await messageOf(store, id)).toMatchObject({
        seq: 1,
        status: "pending",
        error: overloaded,
        startedAt: null,
        finishedAt: null,
      });
    });

    test("an attempt counts only where it is said to", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      const attempts: number[] = [];
      for (const isCounted of [true, false, true, false]) {
        await holder.putBack(await holder.take("a"), { isCounted });
        attempts.push((await messageOf(store, id)).attempts);
      }
      expect(attempts).toEqual([1, 1, 2, 2]);
      expect(await holder.take("a")).toMatchObject({ attempts: 3 });
    });

    test("an error stays where the next put back has none", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      await holder.putBack(await holder.take("a"), { error: overloaded });
      await holder.putBack(await holder.take("a"), { reason: "drain" });
      expect((await messageOf(store, id)).error).toEqual(overloaded);
    });

    test("the time before which it is not to be taken is kept until it is taken", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      await holder.putBack(await holder.take("a"), { retryAt: noon + 2000, isCounted: true });
      expect(await store.messages.head("a")).toMatchObject({ id, attempts: 1, retryAt: noon + 2000 });
      expect(await holder.take("a")).toMatchObject({ retryAt: null });
    });

    test("it is told with its reason, and with error and time where there are some", async () => {
      const under = open();
      const { id } = await acceptedOne(under.store, "a");
      const holder = new Holder(under.store);
      await holder.putBack(await holder.take("a"), { reason: "drain" });
      await holder.putBack(await holder.take("a"), { error: overloaded, announcedAt: noon + 2000 });
      const requeued = told(under).filter(({ type }) => type === "message.requeued");
      expect(requeued.map(({ data }) => data)).toEqual([
        { session: "a", message: id, seq: 1, reason: "drain" },
        {
          session: "a",
          message: id,
          seq: 1,
          reason: "retry",
          error: overloaded,
          retryAt: "2026-03-01T12:00:02.000Z",
        },
      ]);
    });

    test("a rollover with it starts a fresh context, and marks the message as one that overflowed", async () => {
      const under = open();
      const { store } = under;
      const [first, second] = await accepted(store, "a", ["one", "two"]);
      const holder = new Holder(store);
      await holder.done(await holder.take("a"));
      const session = await holder.putBack(await holder.take("a"), { rollover: { contextFrom: 2 } });
      expect(session).toMatchObject({ epoch: 2, lastInputTokens: null, contextFrom: 2, pending: 1 });
      expect((await messageOf(store, second?.id ?? "")).overflowed).toBe(true);
      expect((await messageOf(store, first?.id ?? "")).overflowed).toBe(false);
      expect(told(under).at(-1)).toEqual({ type: "session.rolled_over", data: { session: "a", epoch: 2 } });
      await holder.putBack(await holder.take("a"));
      expect((await messageOf(store, second?.id ?? "")).overflowed).toBe(true);
    });

    test("resetAttempts forgets attempts and waits of pending messages of that session alone", async () => {
      const { store } = open();
      const holder = new Holder(store);
      for (const session of ["a", "b"]) {
        await accepted(store, session, ["one", "two"]);
        await holder.putBack(await holder.take(session), { isCounted: true, retryAt: noon + 2000 });
      }
      await store.messages.resetAttempts("a");
      expect(await store.messages.head("a")).toMatchObject({ attempts: 0, retryAt: null });
      expect(await store.messages.head("b")).toMatchObject({ attempts: 1, retryAt: noon + 2000 });
    });

    test("resetAttempts leaves a message in flight as it is", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      await new Holder(store).take("a");
      await store.messages.resetAttempts("a");
      expect(await messageOf(store, id)).toMatchObject({ status: "running", attempts: 1 });
      expect((await sessionOf(store, "a")).pending).toBe(0);
    });
  });
}
