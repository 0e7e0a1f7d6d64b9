import { describe, expect, test } from "bun:test";
import type { RestoredSession, SessionSnapshot } from "../../../src/store/checkpoints.ts";
import type { Store } from "../../../src/store/store.ts";
import { Holder } from "../holder.ts";
import {
  accepted,
  messageOf,
  newSession,
  noon,
  sessionOf,
  told,
  type OpenStore,
} from "../store-under-test.ts";

async function snapshotOf(store: Store, session: string): Promise<SessionSnapshot> {
  const snapshot = await store.checkpoints.session(session);
  if (!snapshot) throw new Error(`there is no session ${session}`);
  return snapshot;
}

/** What a checkpoint that was written and read makes of a snapshot. */
function restored({ session, context, notes, queue }: SessionSnapshot): RestoredSession {
  return {
    ...session,
    notes,
    context: context.map((message) => ({ ...message, status: "done" })),
    queue: queue.map((message) => ({ ...message, status: "pending", startedAt: null })),
  };
}

/** Session `a` with two exchanges, of which the second is its context, one turn in flight and one message pending. */
async function atWork(store: Store): Promise<SessionSnapshot> {
  await store.sessions.create(newSession("a", { title: "A", labels: { project: "x" } }), noon);
  await accepted(store, "a", ["one", "two", "three", "four"]);
  const holder = new Holder(store);
  await holder.done(await holder.take("a"), { reply: "eins", rollover: { contextFrom: 2 } });
  await store.notes.add(["a"], "before two", noon);
  await holder.done(await holder.take("a"), { reply: "zwei" });
  await holder.take("a");
  await store.notes.add(["a"], "waits", noon);
  return snapshotOf(store, "a");
}

/** Checkpoints: what they keep of a session, and putting it back. */
export function checkpointConformance(open: OpenStore): void {
  describe("checkpoints", () => {
    test("a session is kept with its present context, its notes and what has not ended", async () => {
      const { store } = open();
      const { session, context, notes, queue } = await atWork(store);
      expect(session).toEqual(await sessionOf(store, "a"));
      expect(context.map(({ content, reply }) => [content, reply])).toEqual([["two", "zwei"]]);
      expect(queue.map(({ content, status }) => [content, status])).toEqual([
        ["three", "running"],
        ["four", "pending"],
      ]);
      expect(notes.map(({ text }) => text)).toEqual(["before two", "waits"]);
      expect(await store.checkpoints.session("b")).toBeUndefined();
    });

    test("put back elsewhere it goes on: same context, same order, nothing in flight", async () => {
      const given = await atWork(open().store);
      const under = open();
      const { store } = under;
      expect(await store.checkpoints.restore([restored(given)], noon + 5)).toEqual({ kind: "restored" });
      const session = await sessionOf(store, "a");
      expect(session).toMatchObject({ title: "A", labels: { project: "x" }, turns: 2, epoch: 2, pending: 2 });
      const holder = new Holder(store);
      const next = await holder.take("a");
      expect(next).toMatchObject({ content: "three", seq: 3 });
      expect(await store.messages.context("a", session.contextFrom, next.seq)).toEqual([
        { seq: 2, note: "before two", content: "two", reply: "zwei" },
      ]);
      expect(await store.notes.pending("a")).toBe("waits");
      await holder.done(next);
      expect((await holder.take("a")).content).toBe("four");
      const [later] = await accepted(store, "a", ["five"]);
      expect(later?.seq).toBe(5);
      expect(
        told(under)
          .slice(0, 3)
          .map(({ type }) => type),
      ).toEqual(["session.created", "message.accepted", "message.accepted"]);
    });

    test("sessions keep the order of their list", async () => {
      const { store } = open();
      for (const id of ["first", "second"]) await store.sessions.create(newSession(id), noon);
      const given = [await snapshotOf(store, "second"), await snapshotOf(store, "first")];
      const other = open().store;
      await other.checkpoints.restore(given.map(restored), noon);
      const { items } = await other.sessions.list({}, { limit: 10, cursor: null });
      expect(items.map(({ id }) => id)).toEqual(["second", "first"]);
    });

    test("where an id is taken nothing is put back, and all that are taken are named", async () => {
      const { store } = open();
      const snapshot = await atWork(store);
      const again = restored(snapshot);
      const renamed = { ...again, id: "b" };
      const fresh = { ...again, id: "c", context: [], queue: [] };
      const messages = [...snapshot.context, ...snapshot.queue].map(({ id }) => id);
      expect(await store.checkpoints.restore([fresh, again], noon)).toEqual({
        kind: "clash",
        sessions: ["a"],
        messages,
      });
      expect(await store.checkpoints.restore([renamed], noon)).toEqual({
        kind: "clash",
        sessions: [],
        messages,
      });
      const { items } = await store.sessions.list({}, { limit: 10, cursor: null });
      expect(items.map(({ id }) => id)).toEqual(["a"]);
      expect((await messageOf(store, messages[1] ?? "")).status).toBe("running");
    });
  });
}
