import { describe, expect, test } from "bun:test";
import type { RetryResult } from "../../../src/store/inbox.ts";
import type { MessageRecord } from "../../../src/store/message.ts";
import type { Store } from "../../../src/store/store.ts";
import { Holder } from "../holder.ts";
import { accepted, messageOf, noon, sessionOf, toldTypes, type OpenStore } from "../store-under-test.ts";

/** Posts contents to session `a` and has the turn of each fail. */
async function failed(store: Store, contents: readonly string[]): Promise<MessageRecord[]> {
  const messages = await accepted(store, "a", contents);
  const holder = new Holder(store);
  for (const _ of contents) await holder.fail(await holder.take("a"));
  return messages;
}

function retry(store: Store, message: string | null, maxPending = 100): Promise<RetryResult> {
  let count = 0;
  const newId = (): string => `again_${message ?? "all"}_${++count}`;
  return store.messages.retry({ session: "a", message, newId, maxPending, at: noon });
}

async function idsOf(result: Promise<RetryResult>): Promise<string[]> {
  const given = await result;
  if (given.kind !== "accepted") throw new Error(`the retry answered ${given.kind}`);
  return given.messages.map(({ id }) => id);
}

/** Sending failed messages again. */
export function retryConformance(open: OpenStore): void {
  describe("retry", () => {
    test("a failed message comes again at the end, and says what it repeats; the failed one stays", async () => {
      const under = open();
      const { store } = under;
      const [first] = await failed(store, ["one"]);
      await accepted(store, "a", ["two"]);
      const [id = ""] = await idsOf(retry(store, first?.id ?? ""));
      expect(await messageOf(store, id)).toMatchObject({
        seq: 3,
        content: "one",
        status: "pending",
        attempts: 0,
        retryOf: first?.id,
      });
      expect(await messageOf(store, first?.id ?? "")).toMatchObject({ status: "failed", retryOf: null });
      expect((await sessionOf(store, "a")).pending).toBe(2);
      expect(toldTypes(under).at(-1)).toBe("message.accepted");
    });

    test("all that failed come again in order, those that were sent again already do not", async () => {
      const { store } = open();
      const [first, second, third] = await failed(store, ["one", "two", "three"]);
      await idsOf(retry(store, second?.id ?? ""));
      const again = await Promise.all((await idsOf(retry(store, null))).map((id) => messageOf(store, id)));
      expect(again.map(({ content, retryOf }) => [content, retryOf])).toEqual([
        ["one", first?.id ?? ""],
        ["three", third?.id ?? ""],
      ]);
      expect(await retry(store, null)).toEqual({ kind: "nothing" });
    });

    test("what did not fail is not sent again", async () => {
      const { store } = open();
      const [pending] = await accepted(store, "a", ["one"]);
      expect(await retry(store, pending?.id ?? "")).toEqual({ kind: "nothing" });
      expect(await retry(store, null)).toEqual({ kind: "nothing" });
    });

    test("where there is no room for all, none comes", async () => {
      const { store } = open();
      await failed(store, ["one", "two"]);
      expect(await retry(store, null, 1)).toEqual({ kind: "full", pending: 0 });
      expect((await sessionOf(store, "a")).pending).toBe(0);
    });
  });
}
