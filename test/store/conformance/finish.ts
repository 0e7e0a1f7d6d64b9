import { describe, expect, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import type { Lease } from "../../../src/store/turns.ts";
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

const strangers: [string, Partial<Lease>][] = [
  ["another boot", { boot: "boot_2" }],
  ["another generator", { generator: "gen_2" }],
];

/** What a fence keeps from changing: the message, its session, the figures and the events. */
async function everything(store: Store, id: string): Promise<unknown> {
  const [message, sessions, totals, events] = await Promise.all([
    store.messages.get(id),
    store.sessions.list({}, { limit: 10, cursor: null }),
    store.totals(),
    store.events.bounds(),
  ]);
  return { message, sessions, totals, events };
}

/** Ends of turns, and the fence around them. */
export function finishConformance(open: OpenStore): void {
  describe("finish", () => {
    test("a turn that ended well stores reply, finish and usage at once with the message's end", async () => {
      const under = open();
      const { store } = under;
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      const taken = await holder.take("a");
      const usage = { inputTokens: 120, outputTokens: 7 };
      const session = await holder.done(taken, { reply: "forty-two", usage, at: noon + 9 });
      expect(await messageOf(store, id)).toEqual({
        ...taken,
        epoch: 1,
        status: "done",
        reply: "forty-two",
        finish: "stop",
        usage,
        finishedAt: noon + 9,
      });
      expect(session).toEqual(await sessionOf(store, "a"));
      expect(session).toMatchObject({ turns: 1, lastInputTokens: 120, pending: 0, lastActivityAt: noon + 9 });
      expect(told(under).at(-1)).toEqual({
        type: "message.done",
        data: { session: "a", message: id, seq: 1, usage },
      });
    });

    test("an estimated usage is known to be one", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      const usage = { inputTokens: 0, outputTokens: 0, estimated: true } as const;
      await holder.done(await holder.take("a"), { usage });
      expect((await messageOf(store, id)).usage).toEqual(usage);
    });

    test("a turn that failed stores the error and no reply, and the session goes on", async () => {
      const under = open();
      const { store } = under;
      const [first] = await accepted(store, "a", ["one", "two"]);
      const holder = new Holder(store);
      await holder.fail(await holder.take("a"), noon + 3);
      const error = { kind: "invalid_request", message: "no", status: 400 } as const;
      expect(await messageOf(store, first?.id ?? "")).toMatchObject({
        status: "failed",
        reply: null,
        finish: null,
        usage: null,
        error,
        finishedAt: noon + 3,
      });
      expect(told(under).at(-1)).toMatchObject({ type: "message.failed", data: { seq: 1, error } });
      expect(await holder.take("a")).toMatchObject({ seq: 2 });
    });

    test("a message that ended well after a retry has no error left", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      await holder.putBack(await holder.take("a"), { error: { kind: "overloaded", message: "busy" } });
      await holder.done(await holder.take("a"));
      expect(await messageOf(store, id)).toMatchObject({ status: "done", error: null });
    });

    test("a turn ends once: the second end is refused and changes nothing", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      const taken = await holder.take("a");
      const [first, second] = await Promise.all([holder.done(taken), holder.fail(taken)]);
      expect(first).toBeDefined();
      expect(second).toBeUndefined();
      const before = await everything(store, id);
      expect(await holder.done(taken, { reply: "other" })).toBeUndefined();
      expect(await holder.putBack(taken)).toBeUndefined();
      expect(await everything(store, id)).toEqual(before);
    });

    for (const [who, lease] of strangers)
      test(`${who} can neither end a turn nor put its message back`, async () => {
        const { store } = open();
        const { id } = await acceptedOne(store, "a");
        const taken = await new Holder(store).take("a");
        const before = await everything(store, id);
        const stranger = new Holder(store, lease);
        expect(await stranger.done(taken)).toBeUndefined();
        expect(await stranger.fail(taken)).toBeUndefined();
        expect(await stranger.putBack(taken, { isCounted: true })).toBeUndefined();
        expect(await everything(store, id)).toEqual(before);
      });

    test("a lease ends when its message is put back, whoever takes it next", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const old = new Holder(store);
      const taken = await old.take("a");
      await old.putBack(taken);
      await new Holder(store, { generator: "gen_2" }).take("a");
      const before = await everything(store, id);
      expect(await old.done(taken)).toBeUndefined();
      expect(await old.putBack(taken)).toBeUndefined();
      expect(await everything(store, id)).toEqual(before);
    });

    test("a turn whose session was deleted ends nowhere, also where the session was made anew", async () => {
      const { store } = open();
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      const taken = await holder.take("a");
      await store.sessions.delete("a", noon);
      await accepted(store, "a", ["another"]);
      const before = await everything(store, id);
      expect(await holder.done(taken)).toBeUndefined();
      expect(await holder.putBack(taken)).toBeUndefined();
      expect(await everything(store, id)).toEqual(before);
    });

    test("a rollover with the end of a turn starts a fresh context in the same commit", async () => {
      const under = open();
      const { store } = under;
      await acceptedOne(store, "a");
      const holder = new Holder(store);
      const taken = await holder.take("a");
      const commits = under.published.length;
      const usage = { inputTokens: 200_000, outputTokens: 1 };
      const session = await holder.done(taken, { usage, rollover: { contextFrom: 2 } });
      expect(session).toMatchObject({ epoch: 2, lastInputTokens: null, contextFrom: 2, turns: 1 });
      expect(under.published.slice(commits).map((events) => events.map(({ type }) => type))).toEqual([
        ["message.done", "session.rolled_over"],
      ]);
      expect(told(under).at(-1)?.data).toEqual({ session: "a", epoch: 2 });
    });

    test("a rollover is fenced with its turn", async () => {
      const { store } = open();
      await acceptedOne(store, "a");
      const taken = await new Holder(store).take("a");
      await new Holder(store, { boot: "boot_2" }).done(taken, { rollover: { contextFrom: 9 } });
      expect(await sessionOf(store, "a")).toMatchObject({ epoch: 1, contextFrom: 1 });
    });

    test("the context is what ended well, in order, from where it begins up to the message", async () => {
      const { store } = open();
      const holder = new Holder(store);
      await accepted(store, "a", ["one", "two", "three", "four"]);
      await accepted(store, "b", ["elsewhere"]);
      await holder.done(await holder.take("b"));
      await holder.done(await holder.take("a"), { reply: "1" });
      await holder.fail(await holder.take("a"));
      await holder.done(await holder.take("a"), { reply: "3" });
      const { seq } = await holder.take("a");
      expect(await store.messages.context("a", 1, seq)).toMatchObject([
        { seq: 1, content: "one", reply: "1" },
        { seq: 3, content: "three", reply: "3" },
      ]);
      expect(await store.messages.context("a", 2, seq)).toMatchObject([{ seq: 3 }]);
      expect(await store.messages.context("a", 1, 3)).toMatchObject([{ seq: 1 }]);
      expect(await store.messages.context("a", 4, seq)).toEqual([]);
    });
  });
}
