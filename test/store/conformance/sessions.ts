import { describe, expect, test } from "bun:test";
import { Holder } from "../holder.ts";
import {
  accepted,
  newSession,
  noon,
  sessionOf,
  told,
  toldTypes,
  type OpenStore,
} from "../store-under-test.ts";

const full = {
  title: "Notes",
  system: "Be brief.",
  labels: { project: "/srv/app", "with:colon": "a b" },
  overrides: { provider: "claude", model: "haiku", mode: "batch" },
} as const;

/** Sessions as records. */
export function sessionConformance(open: OpenStore): void {
  describe("sessions", () => {
    test("a session is kept as it was made", async () => {
      const under = open();
      const made = await under.store.sessions.create(newSession("a", full), noon);
      expect(made).toMatchObject({ id: "a", ...full, turns: 0, pending: 0, epoch: 1, createdAt: noon });
      expect(told(under)).toEqual([{ type: "session.created", data: { session: "a" } }]);
      const { store } = await under.reopen();
      expect(await store.sessions.get("a")).toEqual(made);
    });

    test("an id that is taken is not taken again, and the first stays as it is", async () => {
      const under = open();
      const [first, second] = await Promise.all([
        under.store.sessions.create(newSession("a", full), noon),
        under.store.sessions.create(newSession("a", { title: "other" }), noon + 1),
      ]);
      expect(second).toBeUndefined();
      expect(await under.store.sessions.get("a")).toEqual(first);
      expect(toldTypes(under)).toEqual(["session.created"]);
    });

    test("a session that is not there is undefined", async () => {
      const { store } = open();
      expect(await store.sessions.get("a")).toBeUndefined();
      expect(await store.sessions.patch("a", { title: "x" })).toBeUndefined();
      expect(await store.sessions.delete("a", noon)).toBe(false);
    });

    test("a patch changes what it names and nothing else", async () => {
      const { store } = open();
      const made = await store.sessions.create(newSession("a", full), noon);
      const patched = await store.sessions.patch("a", { title: null, labels: {} });
      expect(patched).toEqual({ ...sureOf(made), title: null, labels: {} });
      const overrides = { provider: null, model: null, mode: null };
      expect(await store.sessions.patch("a", { overrides, system: "other" })).toEqual({
        ...sureOf(patched),
        overrides,
        system: "other",
      });
      expect(await store.sessions.get("a")).toMatchObject({ system: "other", overrides });
    });

    test("deleting removes the session and all that is in it, and tells what was cancelled", async () => {
      const under = open();
      const { store } = under;
      const messages = await accepted(store, "a", ["done", "running", "pending"]);
      const holder = new Holder(store);
      await holder.done(await holder.take("a"));
      await holder.take("a");
      const before = under.published.length;
      expect(await store.sessions.delete("a", noon)).toBe(true);
      expect(await store.sessions.get("a")).toBeUndefined();
      for (const { id } of messages) expect(await store.messages.get(id)).toBeUndefined();
      expect(await store.messages.head("a")).toBeUndefined();
      expect(under.published).toHaveLength(before + 1);
      expect(told(under).slice(-3)).toEqual([
        { type: "message.cancelled", data: { session: "a", message: messages[1]?.id, seq: 2 } },
        { type: "message.cancelled", data: { session: "a", message: messages[2]?.id, seq: 3 } },
        { type: "session.deleted", data: { session: "a" } },
      ]);
    });

    test("deleting leaves the other sessions as they are", async () => {
      const { store } = open();
      const [kept] = await accepted(store, "b", ["one"]);
      await accepted(store, "a", ["one"]);
      const before = await sessionOf(store, "b");
      await store.sessions.delete("a", noon);
      expect(await sessionOf(store, "b")).toEqual(before);
      expect(await store.messages.get(kept?.id ?? "")).toEqual(kept);
    });

    test("a session that is made anew begins anew", async () => {
      const { store } = open();
      await accepted(store, "a", ["one"]);
      const holder = new Holder(store);
      await holder.done(await holder.take("a"), { rollover: { contextFrom: 2 } });
      await store.sessions.delete("a", noon);
      await accepted(store, "a", ["again"]);
      expect(await sessionOf(store, "a")).toMatchObject({ turns: 0, epoch: 1, contextFrom: 1, pending: 1 });
      expect(await store.messages.context("a", 1, 9)).toEqual([]);
    });

    test("withPending names the sessions that have a pending message, inFlight those that have a running one", async () => {
      const { store } = open();
      await store.sessions.create(newSession("empty"), noon);
      await accepted(store, "pending", ["one"]);
      await accepted(store, "running", ["one"]);
      await accepted(store, "done", ["one"]);
      const holder = new Holder(store);
      await holder.take("running");
      await holder.done(await holder.take("done"));
      expect(await store.sessions.withPending()).toEqual(["pending"]);
      expect(await store.sessions.inFlight()).toEqual(["running"]);
    });
  });
}

function sureOf<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("it was undefined");
  return value;
}
