import { describe, expect, test } from "bun:test";
import type { RevisionRecord } from "../../../src/store/store.ts";
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
