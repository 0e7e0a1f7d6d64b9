import { expect, test } from "bun:test";
import type { NewEvent } from "../../src/core/events.ts";
import { type Park, Parks } from "../../src/providers/parks.ts";
import { configOf } from "./calling.ts";

const config = configOf("claude", { key: "secret-key", model: "m", endpoint: "http://a.example" });
const otherModel = { ...config, model: "other" };

function setup(stored: readonly Park[] = []) {
  const kept = new Map<string, Park | null>();
  const told: NewEvent[] = [];
  const parks = new Parks({
    random: () => 0.5,
    stored,
    store: (scope, park, events) => {
      kept.set(scope, park);
      told.push(...events);
    },
  });
  const add = (kind: "rate_limited" | "not_found" | "overloaded", now: number, startedAt = now - 1) =>
    parks.add("a", config, { kind, message: "" }, { startedAt, now, retryMs: 1000 });
  return { parks, kept, told, add };
}

test("a failure that says nothing of the endpoint parks nothing", () => {
  const { parks, told, add } = setup();
  expect(add("overloaded", 100)).toBeUndefined();
  expect([parks.over(config), told]).toEqual([[], []]);
});

test("a park is known by hashes and tells nothing of a key", () => {
  const { kept, told, add } = setup();
  add("rate_limited", 100);
  expect(JSON.stringify([[...kept], told])).not.toContain("secret-key");
  expect(told).toEqual([
    {
      type: "provider.parked",
      data: {
        provider: "a",
        endpoint: "http://a.example",
        model: null,
        reason: "rate_limited",
        until: "1970-01-01T00:00:01.100Z",
      },
    },
  ]);
});

test("what is stored is what is in memory", () => {
  const { parks, kept, add } = setup();
  add("rate_limited", 100);
  add("rate_limited", 5000);
  add("rate_limited", 5001, 4999);
  expect([...parks.all()]).toEqual([...kept.values()].filter((park) => park !== null));
  expect(setup([...parks.all()]).parks.over(config)).toEqual(parks.over(config));
});

test("several parks over one configuration are told the longest first, and another model has its own", () => {
  const { parks, add } = setup();
  add("rate_limited", 100);
  add("not_found", 100);
  expect(parks.over(config).map(({ reason }) => reason)).toEqual(["not_found", "rate_limited"]);
  expect(parks.over(otherModel).map(({ reason }) => reason)).toEqual(["rate_limited"]);
});

test("a turn that goes first is under way for all that it runs into", () => {
  const { parks, add } = setup();
  add("rate_limited", 100);
  add("not_found", 100);
  parks.probe(parks.over(config));
  expect(parks.isProbed(parks.over(otherModel))).toBe(true);
  parks.probed(parks.over(config));
  expect(parks.isProbed(parks.over(otherModel))).toBe(false);
});

test("an answer ends all parks of its turn, an unknown model only that of the endpoint", () => {
  const { parks, kept, add } = setup();
  add("rate_limited", 100);
  add("not_found", 100);
  parks.clear(parks.over(config), { kind: "auth", message: "" });
  expect(parks.over(config)).toHaveLength(2);
  parks.clear(parks.over(config), { kind: "not_found", message: "" });
  expect(parks.over(config).map(({ reason }) => reason)).toEqual(["not_found"]);
  parks.clear(parks.over(config), undefined);
  expect(parks.over(config)).toEqual([]);
  expect([...kept.values()]).toEqual([null, null]);
});

test("a release makes each park due, and keeps how often it was parked", () => {
  const { parks, add } = setup();
  add("rate_limited", 100);
  add("rate_limited", 5000);
  parks.release(6000);
  expect(parks.over(config)).toMatchObject([{ until: 6000, step: 1 }]);
});

test("what nobody can meet is forgotten, but not before its time where the vendor named it", () => {
  const { parks, add } = setup();
  add("rate_limited", 100);
  add("not_found", 100);
  parks.forgetUnwanted(() => true, 1e9);
  expect(parks.over(config)).toHaveLength(2);
  parks.forgetUnwanted(() => false, 200);
  expect(parks.over(config).map(({ reason }) => reason)).toEqual(["rate_limited"]);
  parks.forgetUnwanted(() => false, 1100);
  expect(parks.over(config)).toEqual([]);
});
