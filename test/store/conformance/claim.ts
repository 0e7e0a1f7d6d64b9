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

function record(store: Store): Promise<number> {
  const revision = { at: noon, changedKeys: [], fingerprint: "f", text: null };
  return store.revisions.record({ ...revision, source: "file" }, () => []);
}

/** Taking messages. */
export function claimConformance(open: OpenStore): void {
  describe("claim", () => {
    test("messages are taken by seq, lowest first, and none twice", async () => {
      const { store } = open();
      await accepted(store, "a", ["one", "two", "three"]);
      const holder = new Holder(store);
      const taken = [await holder.take("a"), await holder.take("a"), await holder.take("a")];
      expect(taken.map(({ seq, content }) => [seq, content])).toEqual([
        [1, "one"],
        [2, "two"],
        [3, "three"],
      ]);
      expect(await holder.claim("a")).toBe("nothing");
    });

    test("a message that was put back comes before those after it", async () => {
      const { store } = open();
      await accepted(store, "a", ["one", "two"]);
      const holder = new Holder(store);
      await holder.putBack(await holder.take("a"));
      expect(await holder.take("a")).toMatchObject({ seq: 1 });
    });

    test("of two claims in the same moment each gets another message", async () => {
      const { store } = open();
      await accepted(store, "a", ["one", "two"]);
      const [first, second] = await Promise.all([
        new Holder(store).take("a"),
        new Holder(store, { generator: "gen_2" }).take("a"),
      ]);
      expect([first.seq, second.seq]).toEqual([1, 2]);
    });

    test("of two messages in flight one that is put back comes before those that were never taken", async () => {
      const { store } = open();
      await accepted(store, "a", ["one", "two", "three"]);
      const holder = new Holder(store);
      const first = await holder.take("a");
      await holder.take("a");
      await holder.putBack(first);
      expect(await store.messages.head("a")).toMatchObject({ seq: 1 });
      expect(await holder.take("a")).toMatchObject({ seq: 1 });
      expect(await holder.take("a")).toMatchObject({ seq: 3 });
    });

    test("messages cancelled in front of it, and behind it, are passed over", async () => {
      const { store } = open();
      const messages = await accepted(store, "a", ["one", "two", "three", "four", "five"]);
      for (const at of [1, 0, 3]) await store.messages.cancel(messages[at]?.id ?? "", noon);
      const holder = new Holder(store);
      expect(await store.messages.head("a")).toMatchObject({ seq: 3 });
      expect(await holder.take("a")).toMatchObject({ seq: 3 });
      expect(await holder.take("a")).toMatchObject({ seq: 5 });
      expect(await holder.claim("a")).toBe("nothing");
    });

    test("a claim never reaches into another session", async () => {
      const { store } = open();
      await accepted(store, "a", ["one"]);
      expect(await new Holder(store).claim("b")).toBe("nothing");
    });

    test("the message says what it runs under, and counts the attempt", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const under = { provider: "claude", model: "haiku", fallbackFrom: "gemini", at: noon + 7 };
      const taken = await new Holder(store).take("a", under);
      expect(taken).toMatchObject({
        id,
        status: "running",
        attempts: 1,
        provider: "claude",
        model: "haiku",
        revision: 0,
        fallbackFrom: "gemini",
        startedAt: noon + 7,
        finishedAt: null,
      });
      expect(await messageOf(store, id)).toEqual(taken);
      expect(await sessionOf(store, "a")).toMatchObject({ pending: 0, lastActivityAt: noon + 7 });
    });

    test("a claim is told of, after the events that come along", async () => {
      const under = open();
      const { id } = await acceptedOne(under.store, "a");
      await new Holder(under.store).take("a", {
        events: [{ type: "session.busy", data: { session: "a", inFlight: 1 } }],
      });
      expect(told(under).slice(2)).toEqual([
        { type: "session.busy", data: { session: "a", inFlight: 1 } },
        {
          type: "message.started",
          data: {
            session: "a",
            message: id,
            seq: 1,
            attempt: 1,
            provider: "echo",
            model: "echo",
            revision: 0,
          },
        },
      ]);
    });

    test("a claim that gets nothing tells nothing", async () => {
      const under = open();
      await new Holder(under.store).claim("a", {
        events: [{ type: "session.busy", data: { session: "a", inFlight: 1 } }],
      });
      expect(under.published).toEqual([]);
    });

    test("where a newer revision is recorded the claim is stale, and the message stays", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const revision = await record(store);
      expect(await new Holder(store).claim("a", { newestRevision: revision - 1, revision })).toBe("stale");
      expect(await messageOf(store, id)).toMatchObject({ status: "pending", attempts: 0 });
      expect(await new Holder(store).take("a", { newestRevision: revision, revision: 7 })).toMatchObject({
        id,
        revision: 7,
      });
    });

    test("a revision that is recorded in the same moment, before the claim, makes it stale", async () => {
      const { store } = open();
      await accepted(store, "a", ["one", "two"]);
      const revision = await record(store);
      const holder = new Holder(store);
      const [before, , after] = await Promise.all([
        holder.claim("a", { newestRevision: revision }),
        record(store),
        holder.claim("a", { newestRevision: revision }),
      ]);
      expect(before).toMatchObject({ seq: 1 });
      expect(after).toBe("stale");
    });

    test("head shows what would be taken next", async () => {
      const { store } = open();
      expect(await store.messages.head("a")).toBeUndefined();
      const [first] = await accepted(store, "a", ["one", "two"]);
      expect(await store.messages.head("a")).toMatchObject({
        id: first?.id,
        seq: 1,
        attempts: 0,
        retryAt: null,
      });
      await new Holder(store).take("a");
      expect(await store.messages.head("a")).toMatchObject({ seq: 2 });
    });
  });
}
