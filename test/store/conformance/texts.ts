import { describe, expect, test } from "bun:test";
import { Holder } from "../holder.ts";
import { acceptedOne, messageOf, newSession, noon, type OpenStore } from "../store-under-test.ts";

const control = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join("");

const texts: [string, string][] = [
  ["nothing", ""],
  ["a NUL in the middle and at the end", "before\0after\0"],
  ["all control characters", `${control}\u007f\u0085\u2028\u2029`],
  ["a byte-order mark and non-characters", "\ufeffx\ufffe\uffff"],
  ["astral characters and joined ones", "\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u{10ffff} e\u0301"],
  ["quotes, backslashes and placeholders", `'; DROP TABLE messages; -- ? :a $b @c \\ "`],
  ["line ends of every kind", "a\r\nb\rc\nd"],
];

/** Texts come back as they were given, character for character. */
export function textConformance(open: OpenStore): void {
  describe("texts", () => {
    test.each(texts)("%s: kept as it is, as content and as reply", async (_name, text) => {
      const under = open();
      const { id } = await acceptedOne(under.store, "a", text);
      const holder = new Holder(under.store);
      const taken = await holder.take("a");
      expect(taken.content).toBe(text);
      await holder.done(taken, { reply: text });
      const { store } = await under.reopen();
      expect(await messageOf(store, id)).toMatchObject({ content: text, reply: text });
      expect(await store.messages.context("a", 1, 9)).toMatchObject([{ content: text, reply: text }]);
    });

    test.each(texts)("%s: kept as it is in a session, an error and an event", async (_name, text) => {
      const { store } = open();
      const overrides = { provider: text, model: text, mode: null };
      const given = newSession("a", { title: text, system: text, labels: { [text]: text }, overrides });
      expect(await store.sessions.create(given, noon)).toMatchObject(given);
      expect(await store.sessions.get("a")).toMatchObject(given);
      const { id } = await acceptedOne(store, "a");
      const holder = new Holder(store);
      const error = { kind: "overloaded", message: text } as const;
      await holder.putBack(await holder.take("a"), { error });
      expect((await messageOf(store, id)).error).toEqual(error);
      const last = (await store.events.after(0, 100)).at(-1);
      expect(JSON.parse(last?.data ?? "")).toMatchObject({ error });
    });

    test("several megabytes are kept as they are", async () => {
      const { store } = open();
      const text = "0123456789abcde\u{1f600}".repeat(250_000);
      const { id } = await acceptedOne(store, "a", text);
      expect((await messageOf(store, id)).content === text).toBe(true);
    });
  });
}
