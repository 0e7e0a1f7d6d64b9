import { describe, expect, test } from "bun:test";
import { createIds } from "../../../src/core/ids.ts";
import {
  accept,
  accepted,
  acceptedOne,
  noon,
  newSession,
  sessionOf,
  told,
  toldTypes,
  refusalOf,
  type OpenStore,
} from "../store-under-test.ts";

const key = { key: "k", hash: "h" };

/** Accepting messages into an inbox. */
export function acceptConformance(open: OpenStore): void {
  describe("accept", () => {
    test("messages get seq from 1 on, in the order in which they were posted", async () => {
      const { store } = open();
      const first = await accepted(store, "a", ["one", "two"]);
      const second = await accepted(store, "a", ["three"]);
      expect([...first, ...second].map(({ seq, content }) => [seq, content])).toEqual([
        [1, "one"],
        [2, "two"],
        [3, "three"],
      ]);
    });

    test("each session counts for itself", async () => {
      const { store } = open();
      await accepted(store, "a", ["one"]);
      expect(await acceptedOne(store, "b")).toMatchObject({ session: "b", seq: 1 });
    });

    test("a message begins pending, untried, and with nothing known of a turn", async () => {
      const { store } = open();
      const id = createIds(() => 0).message();
      const [message] = await accepted(store, "a", [], {
        messages: [{ id, content: "hi", retryOf: "msg_0" }],
      });
      expect(message).toMatchObject({
        id,
        session: "a",
        seq: 1,
        content: "hi",
        status: "pending",
        attempts: 0,
        reply: null,
        finish: null,
        error: null,
        provider: null,
        model: null,
        revision: null,
        fallbackFrom: null,
        usage: null,
        repliedBy: null,
        retryOf: "msg_0",
        createdAt: noon,
        startedAt: null,
        finishedAt: null,
        retryAt: null,
        overflowed: false,
      });
    });

    test("a session that is new is made, and told of before its messages", async () => {
      const under = open();
      const result = await accept(under.store, "a", ["one", "two"]);
      expect(result).toMatchObject({
        kind: "accepted",
        isNewSession: true,
        session: { id: "a", pending: 2 },
      });
      expect(await sessionOf(under.store, "a")).toMatchObject({
        title: null,
        system: null,
        labels: {},
        overrides: { provider: null, model: null, mode: null },
        turns: 0,
        lastInputTokens: null,
        epoch: 1,
        contextFrom: 1,
        pending: 2,
        createdAt: noon,
        lastActivityAt: noon,
      });
      expect(toldTypes(under)).toEqual(["session.created", "message.accepted", "message.accepted"]);
    });

    test("a session that exists is used, and its activity moves on", async () => {
      const under = open();
      await under.store.sessions.create(newSession("a", { title: "mine" }), noon);
      const result = await accept(under.store, "a", ["one"], { at: noon + 5 });
      expect(result).toMatchObject({
        isNewSession: false,
        session: { title: "mine", lastActivityAt: noon + 5 },
      });
      expect(toldTypes(under)).toEqual(["session.created", "message.accepted"]);
    });

    test("the events name session, message and seq", async () => {
      const under = open();
      const messages = await accepted(under.store, "a", ["one", "two"]);
      expect(told(under).slice(1)).toEqual(
        messages.map(({ id, seq }) => ({
          type: "message.accepted",
          data: { session: "a", message: id, seq },
        })),
      );
    });

    test("of a list that has no room nothing is taken", async () => {
      const under = open();
      await accepted(under.store, "a", ["one"]);
      const result = await accept(under.store, "a", ["two", "three"], { maxPending: 2 });
      expect(result).toEqual({ kind: "full", pending: 1 });
      expect((await sessionOf(under.store, "a")).pending).toBe(1);
      expect(await accept(under.store, "a", ["two"], { maxPending: 2 })).toMatchObject({ kind: "accepted" });
    });

    test("a list that has no room makes no session", async () => {
      const under = open();
      expect(await accept(under.store, "a", ["one", "two"], { maxPending: 1 })).toEqual({
        kind: "full",
        pending: 0,
      });
      expect(await under.store.sessions.get("a")).toBeUndefined();
      expect(under.published).toEqual([]);
    });

    test("of a list with an id that is taken nothing is taken", async () => {
      const under = open();
      const taken = await acceptedOne(under.store, "a");
      const messages = [
        { id: "msg_new", content: "new", retryOf: null },
        { id: taken.id, content: "again", retryOf: null },
      ];
      expect(await refusalOf(accept(under.store, "b", [], { messages }))).toBe("storage");
      expect(await under.store.messages.get("msg_new")).toBeUndefined();
      expect(await under.store.sessions.get("b")).toBeUndefined();
    });

    test("a repeat under its key gets the same messages and stores nothing", async () => {
      const under = open();
      const messages = await accepted(under.store, "a", ["one", "two"], { idempotency: key });
      const again = await accept(under.store, "a", ["one", "two"], { idempotency: key });
      expect(again).toEqual({ kind: "replayed", messages: messages.map(({ id, seq }) => ({ id, seq })) });
      expect((await sessionOf(under.store, "a")).pending).toBe(2);
      expect(toldTypes(under)).toEqual(["session.created", "message.accepted", "message.accepted"]);
    });

    test("a repeat is recognised in the same moment, after the store was opened anew, and when it is full", async () => {
      const under = open();
      const [first, second] = await Promise.all([
        accept(under.store, "a", ["one"], { idempotency: key }),
        accept(under.store, "a", ["one"], { idempotency: key }),
      ]);
      expect([first.kind, second.kind]).toEqual(["accepted", "replayed"]);
      const { store } = await under.reopen();
      expect(await accept(store, "a", ["one"], { idempotency: key, maxPending: 1 })).toMatchObject({
        kind: "replayed",
      });
    });

    test("other content under the same key is a conflict and stores nothing", async () => {
      const { store } = open();
      await accepted(store, "a", ["one"], { idempotency: key });
      const other = { key: "k", hash: "other" };
      expect(await accept(store, "a", ["two"], { idempotency: other })).toEqual({ kind: "conflict" });
      expect((await sessionOf(store, "a")).pending).toBe(1);
    });

    test("a key counts within its session", async () => {
      const { store } = open();
      await accepted(store, "a", ["one"], { idempotency: key });
      expect(await accept(store, "b", ["two"], { idempotency: { key: "k", hash: "other" } })).toMatchObject({
        kind: "accepted",
      });
    });

    test("a key is forgotten with its session", async () => {
      const { store } = open();
      await accepted(store, "a", ["one"], { idempotency: key });
      await store.sessions.delete("a", noon);
      expect(await accept(store, "a", ["other"], { idempotency: { key: "k", hash: "other" } })).toMatchObject(
        {
          kind: "accepted",
          isNewSession: true,
          messages: [{ seq: 1 }],
        },
      );
    });

    test("what was accepted is there when the store is opened anew, and numbering goes on", async () => {
      const under = open();
      const [message] = await accepted(under.store, "a", ["one"]);
      const { store } = await under.reopen();
      expect(await store.messages.get(message?.id ?? "")).toEqual(message);
      expect(await acceptedOne(store, "a")).toMatchObject({ seq: 2 });
    });
  });
}
