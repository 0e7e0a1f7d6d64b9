import { describe, expect, test } from "bun:test";
import type { RevisionRecord } from "../../../src/store/revisions.ts";
import { noon, told, type OpenStore } from "../store-under-test.ts";

const first: Omit<RevisionRecord, "revision"> = {
  at: noon,
  source: "start",
  changedKeys: ["provider", "providers.claude.model"],
  fingerprint: "f1",
  text: `{ "provider": "claude" } // mine`,
};

/** Accepted states of the settings. */
export function revisionConformance(open: OpenStore): void {
  describe("revisions", () => {
    test("they are counted from 1, and the latest is kept as it was recorded", async () => {
      const under = open();
      expect(await under.store.revisions.latest()).toBeUndefined();
      expect(await under.store.revisions.record(first, () => [])).toBe(1);
      const second: typeof first = {
        ...first,
        source: "file",
        text: null,
        changedKeys: [],
        fingerprint: "f2",
      };
      expect(await under.store.revisions.record(second, () => [])).toBe(2);
      const { store } = await under.reopen();
      expect(await store.revisions.latest()).toEqual({ revision: 2, ...second });
      expect(await store.revisions.record(first, () => [])).toBe(3);
    });

    test.each(["start", "file", "reference", "api", "rollback", "signal"] as const)(
      "a revision that came from %s says so",
      async (source) => {
        const { store } = open();
        await store.revisions.record({ ...first, source }, () => []);
        expect(await store.revisions.latest()).toEqual({ ...first, source, revision: 1 });
      },
    );

    test("they are listed newest first, a page at a time, and each is found by its number", async () => {
      const { store } = open();
      for (const n of [1, 2, 3]) await store.revisions.record({ ...first, at: noon + n }, () => []);
      const page = await store.revisions.list({ limit: 2, cursor: null });
      expect(page.items.map(({ revision }) => revision)).toEqual([3, 2]);
      const rest = await store.revisions.list({ limit: 2, cursor: page.next });
      expect(rest).toEqual({ items: [{ ...first, revision: 1, at: noon + 1 }], next: null });
      expect(await store.revisions.get(2)).toEqual({ ...first, revision: 2, at: noon + 2 });
      expect(await store.revisions.get(4)).toBeUndefined();
    });

    test("the last 100 are kept, under their own numbers", async () => {
      const { store } = open();
      for (let n = 0; n < 103; n++) await store.revisions.record(first, () => []);
      const { items, next } = await store.revisions.list({ limit: 1000, cursor: null });
      expect([items.length, items[0]?.revision, items.at(-1)?.revision, next]).toEqual([100, 103, 4, null]);
      expect(await store.revisions.get(3)).toBeUndefined();
    });

    test("what is told of a revision knows its number and commits with it", async () => {
      const under = open();
      await under.store.revisions.record(first, (revision) => [
        {
          type: "settings.changed",
          data: {
            revision,
            source: "start",
            changedKeys: [],
            appliedImmediately: [],
            pendingRestarts: 0,
            unaffected: 0,
            daemonRestart: false,
          },
        },
      ]);
      expect(under.published).toHaveLength(1);
      expect(told(under)).toMatchObject([{ type: "settings.changed", data: { revision: 1 } }]);
    });
  });
}
