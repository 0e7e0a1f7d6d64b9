import { describe, expect, test } from "bun:test";
import type { HoldRecord, ParkRecord, Proven } from "../../../src/store/endpoints.ts";
import { Holder } from "../holder.ts";
import { acceptedOne, noon, sessionOf, told, type OpenStore } from "../store-under-test.ts";

const proven: Proven = {
  identity: "i1",
  provider: "claude",
  kind: "claude",
  endpoint: "https://example.invalid",
  model: "haiku",
  at: noon,
};
const hold: HoldRecord = {
  identity: "i1",
  provider: "claude",
  endpoint: "https://example.invalid",
  model: "haiku",
  reason: "auth",
  since: noon,
  step: 2,
  tryAt: null,
  goesBack: true,
};
const park: ParkRecord = {
  scope: "s1",
  provider: "claude",
  endpoint: "https://example.invalid",
  model: null,
  reason: "rate_limited",
  since: noon,
  until: noon + 5000,
  step: 0,
};

/** What guard and gate know, over a restart. */
export function endpointConformance(open: OpenStore): void {
  describe("endpoints", () => {
    test("an empty store knows of none", async () => {
      const { store } = open();
      expect(await store.endpoints.load()).toEqual({ proven: [], holds: [], parks: [] });
    });

    test("what was proven, held and parked is there when the store is opened anew", async () => {
      const under = open();
      await under.store.endpoints.prove(proven);
      await under.store.endpoints.hold(hold.identity, hold, [], noon);
      await under.store.endpoints.park(park.scope, park, [], noon);
      const { store } = await under.reopen();
      expect(await store.endpoints.load()).toEqual({ proven: [proven], holds: [hold], parks: [park] });
    });

    test("a later record takes the place of the one before", async () => {
      const { store } = open();
      await store.endpoints.hold("i1", hold, [], noon);
      const waiting = { ...hold, tryAt: noon + 1, goesBack: false, step: 3 };
      await store.endpoints.hold("i1", waiting, [], noon);
      await store.endpoints.park("s1", park, [], noon);
      await store.endpoints.park("s1", { ...park, model: "haiku", step: 1 }, [], noon);
      expect(await store.endpoints.load()).toEqual({
        proven: [],
        holds: [waiting],
        parks: [{ ...park, model: "haiku", step: 1 }],
      });
    });

    test("what has ended is gone, and nothing else", async () => {
      const { store } = open();
      for (const identity of ["i1", "i2"])
        await store.endpoints.hold(identity, { ...hold, identity }, [], noon);
      for (const scope of ["s1", "s2"]) await store.endpoints.park(scope, { ...park, scope }, [], noon);
      await store.endpoints.hold("i1", null, [], noon);
      await store.endpoints.park("s2", null, [], noon);
      expect(await store.endpoints.load()).toMatchObject({
        holds: [{ identity: "i2" }],
        parks: [{ scope: "s1" }],
      });
    });

    test("what was asked to be stored before is what is loaded, though nobody waited for it", async () => {
      const { store } = open();
      await store.endpoints.hold("i1", hold, [], noon);
      const writes = [
        store.endpoints.prove(proven),
        store.endpoints.hold("i1", null, [], noon),
        store.endpoints.park(park.scope, park, [], noon),
      ];
      expect(await store.endpoints.load()).toEqual({ proven: [proven], holds: [], parks: [park] });
      await Promise.all(writes);
    });

    test("what is told of it commits with it", async () => {
      const under = open();
      const { provider, endpoint, model } = hold;
      const ready = { type: "provider.ready", data: { provider, endpoint, model } } as const;
      await under.store.endpoints.park("s1", null, [ready], noon);
      await under.store.endpoints.hold("i1", hold, [ready], noon);
      expect(told(under)).toEqual([ready, ready]);
      expect(under.published).toHaveLength(2);
    });

    test("a session knows under what its last turn that ended well ran", async () => {
      const { store } = open();
      await acceptedOne(store, "a");
      const holder = new Holder(store);
      expect((await sessionOf(store, "a")).proven).toBeNull();
      await holder.done(await holder.take("a"), { identity: "i1" });
      await acceptedOne(store, "a");
      await holder.fail(await holder.take("a"));
      expect((await sessionOf(store, "a")).proven).toBe("i1");
    });
  });
}
