import { describe, expect, test } from "bun:test";
import type { SessionTemplate } from "../../../src/store/sessions.ts";
import type { Store } from "../../../src/store/store.ts";
import { Holder } from "../holder.ts";
import { accepted, messageOf, noon, sessionOf, type OpenStore } from "../store-under-test.ts";

const all = { limit: 1000, cursor: null };

function templateOf(project: string): SessionTemplate {
  return {
    title: null,
    system: "follow it",
    labels: { agent: "a", project },
    overrides: { provider: null, model: null, mode: "batch" },
  };
}

/** Posts one message to a session of a project. */
async function post(store: Store, session: string, project: string, isSummary: boolean): Promise<string> {
  const message = { id: crypto.randomUUID(), content: "hi", retryOf: null, isSummary };
  const [first] = await accepted(store, session, [], { messages: [message], template: templateOf(project) });
  return first?.id ?? "";
}

/** What coding agents leave behind. */
export function agentConformance(open: OpenStore): void {
  describe("agents", () => {
    test("a template holds for a session that the post makes, and changes none that is there", async () => {
      const { store } = open();
      await post(store, "a", "/p", false);
      await post(store, "a", "/q", false);
      expect(await sessionOf(store, "a")).toMatchObject({
        ...templateOf("/p"),
        id: "a",
        pending: 2,
      });
    });

    test("the replies to summary requests are found by their session's project, newest first", async () => {
      const { store } = open();
      const holder = new Holder(store);
      const posted: [string, string, boolean][] = [
        ["a", "/p", true],
        ["b", "/q", true],
        ["c", "/p", true],
        ["d", "/p", false],
      ];
      const made: string[] = [];
      for (const [session, project, isSummary] of posted) {
        made.push(await post(store, session, project, isSummary));
        await holder.done(await holder.take(session), { reply: `of ${session}` });
      }
      await post(store, "e", "/p", true);
      const found = await store.agents.memories({ project: "/p" }, all);
      expect(found).toEqual({
        items: [
          { session: "c", project: "/p", at: noon, summary: "of c", message: made[2] ?? "" },
          { session: "a", project: "/p", at: noon, summary: "of a", message: made[0] ?? "" },
        ],
        next: null,
      });
      const first = await store.agents.memories({}, { limit: 2, cursor: null });
      expect(first.items.map(({ session }) => session)).toEqual(["c", "b"]);
      const rest = await store.agents.memories({}, { limit: 2, cursor: first.next });
      expect(rest.items.map(({ session }) => session)).toEqual(["a"]);
      expect(rest.next).toBeNull();
    });

    test("a summary request is the last of its batch", async () => {
      const { store } = open();
      const holder = new Holder(store);
      const made: string[] = [];
      for (const isSummary of [false, false, true, false, true])
        made.push(await post(store, "a", "/p", isSummary));
      expect((await holder.takeBatch("a", 10)).map(({ id }) => id)).toEqual(made.slice(0, 3));
      expect((await holder.takeBatch("a", 10)).map(({ id }) => id)).toEqual(made.slice(3));
    });

    test("a summary request that failed and is sent again asks for a summary again", async () => {
      const { store } = open();
      const holder = new Holder(store);
      const id = await post(store, "a", "/p", true);
      await holder.fail(await holder.take("a"));
      await store.messages.retry({
        session: "a",
        message: id,
        newId: () => "again",
        maxPending: 9,
        at: noon,
      });
      expect(await messageOf(store, "again")).toMatchObject({ retryOf: id });
      await holder.done(await holder.take("a"), { reply: "at last" });
      const { items } = await store.agents.memories({ project: "/p" }, all);
      expect(items).toMatchObject([{ message: "again", summary: "at last" }]);
    });

    test("events are counted by name, and the counts are kept", async () => {
      const under = open();
      const { store } = under;
      await Promise.all(["SessionEnd", "PreCompact", "SessionEnd"].map((event) => store.agents.count(event)));
      const again = await under.reopen();
      expect(await again.store.agents.counts()).toEqual({ PreCompact: 1, SessionEnd: 2 });
    });
  });
}
