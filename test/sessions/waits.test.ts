import { afterEach, expect, test } from "bun:test";
import { SegueError } from "../../src/core/errors.ts";
import { Rig, closeRigs, first, second, third } from "./rig.ts";

afterEach(closeRigs);

const hour = 3_600_000;

test("while the chosen provider is parked the fallback answers; then the chosen one is tried again", async () => {
  const rig = await Rig.start({ fallback: ["second"] });
  let isParked = true;
  rig.provider.answer = ({ config }) =>
    config.endpoint === first && isParked ? { refusal: { kind: "rate_limited", retryAfterMs: 60_000 } } : {};
  await rig.post("a", "1", "2");
  await rig.untilAllEnded();
  isParked = false;
  await rig.clock.advance(60_000);
  await rig.post("a", "3");
  await rig.untilAllEnded();
  expect(
    (await rig.messages("a")).map(({ provider, model, fallbackFrom, attempts, revision }) => [
      provider,
      model,
      fallbackFrom,
      attempts,
      revision,
    ]),
  ).toEqual([
    ["second", "two", "first", 1, 1],
    ["second", "two", "first", 1, 1],
    ["first", "one", null, 1, 1],
  ]);
  expect(rig.provider.to(first)).toHaveLength(2);
  expect(rig.told("session.restarted")).toEqual([]);
});

test("a provider pinned by its session falls back too, without its session's model", async () => {
  const rig = await Rig.start({ fallback: ["third"] });
  rig.provider.answer = ({ config }) =>
    config.endpoint === second ? { refusal: { kind: "rate_limited", retryAfterMs: hour } } : {};
  await rig.create("a", { provider: "second", model: "special" });
  await rig.post("a", "1");
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ provider: "third", fallbackFrom: "second" });
  expect(rig.provider.to(third, { model: "three" })).toHaveLength(1);
});

test.each(["invalid_request", "context_overflow"] as const)("no fallback is asked after %s", async (kind) => {
  const rig = await Rig.start({ fallback: ["second"] });
  rig.provider.answer = () => ({ refusal: { kind } });
  await rig.post("a", "1");
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "failed", error: { kind } });
  expect(rig.provider.to(second)).toEqual([]);
});

test("every session waits out a park that one of them met, and an edit frees them all", async () => {
  const rig = await Rig.start();
  rig.provider.answer = ({ config }) =>
    config.endpoint === first ? { refusal: { kind: "rate_limited", retryAfterMs: hour } } : {};
  await rig.post("a", "1");
  await rig.until("the provider is parked", () => rig.told("provider.parked").length === 1);
  await rig.post("b", "1");
  await rig.clock.advance(10_000);
  expect(rig.session("a").state).toMatchObject({ kind: "waiting", for: "rate_limited" });
  expect(rig.session("b").state).toMatchObject({ kind: "waiting", for: "rate_limited" });
  expect(rig.told("session.waiting").filter(({ session }) => session === "b")).toHaveLength(1);
  expect(rig.provider.calls).toHaveLength(1);
  expect((await rig.messages("a"))[0]).toMatchObject({ attempts: 0, error: { kind: "rate_limited" } });
  await rig.edit({ provider: "second" });
  await rig.untilAllEnded();
  expect(rig.provider.to(second)).toHaveLength(2);
});

test("a park survives the daemon, with its time", async () => {
  const rig = await Rig.start();
  let isParked = true;
  rig.provider.answer = () => (isParked ? { refusal: { kind: "rate_limited", retryAfterMs: hour } } : {});
  await rig.post("a", "1");
  await rig.until("the provider is parked", () => rig.told("provider.parked").length === 1);
  const parkedAt = rig.clock.now();
  await rig.clock.settle();
  await rig.clock.advance(hour / 2);
  await rig.crash();
  await rig.boot();
  isParked = false;
  await rig.untilAllEnded();
  expect(rig.provider.calls[1]?.startedAt).toBe(parkedAt + hour);
  expect(rig.told("provider.ready")).toHaveLength(1);
});

test("at the end of a park one turn goes first, with 50 sessions waiting", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 100 } });
  let isParked = true;
  rig.provider.answer = () => (isParked ? { refusal: { kind: "rate_limited", retryAfterMs: 60_000 } } : {});
  for (let index = 0; index < 50; index++) await rig.post(`s${index}`, "1");
  await rig.clock.advance(10_000);
  expect(rig.provider.calls).toHaveLength(1);
  await rig.clock.advance(60_000);
  expect(rig.provider.calls).toHaveLength(2);
  isParked = false;
  await rig.untilAllEnded();
  expect(rig.provider.calls).toHaveLength(52);
  for (const { attempts } of await rig.allMessages()) expect(attempts).toBe(1);
});

test("a park for a key that the settings no longer hold is over", async () => {
  const rig = await Rig.start({ reload: { guard: "off" } });
  rig.provider.answer = ({ config }) =>
    config.key === "key-of-first" ? { refusal: { kind: "auth", status: 401 } } : {};
  await rig.post("a", "1");
  await rig.until("the provider is parked", () => rig.told("provider.parked").length === 1);
  await rig.edit({ providers: { first: { apiKey: "right" } } });
  expect(rig.core.gate.parks()).toEqual([]);
  await rig.untilAllEnded();
  expect(rig.told("provider.ready")).toHaveLength(1);
  expect((await rig.store.endpoints.load()).parks).toEqual([]);
});

test("a park that may still be met stays, whoever else changes", async () => {
  const rig = await Rig.start({ reload: { guard: "off" } });
  rig.provider.answer = () => ({ refusal: { kind: "not_found", status: 404 } });
  await rig.create("a", { provider: "first", model: "mine" });
  await rig.post("a", "1");
  await rig.until("the provider is parked", () => rig.told("provider.parked").length === 1);
  await rig.edit({ provider: "second", turn: { retryMs: 1 } });
  expect(rig.core.gate.parks()).toMatchObject([{ model: "mine", sessions: 1 }]);
});

test("the day's tokens keep turns back until midnight, over a crash too, and a higher limit lets them go", async () => {
  const rig = await Rig.start({ limits: { tokensPerDay: 30 } });
  await rig.post("a", "1", "2", "3", "4");
  await rig.until("the budget is spent", () => rig.told("budget.reached").length === 1);
  expect(rig.provider.calls).toHaveLength(2);
  const midnight = Date.parse("2026-03-02T00:00:00.000Z");
  expect(rig.session("a").state).toMatchObject({ kind: "waiting", for: "budget", until: midnight });
  await rig.crash();
  await rig.boot();
  await rig.clock.advance(hour);
  expect(rig.provider.calls).toHaveLength(2);
  await rig.edit({ limits: { tokensPerDay: 31 } });
  await rig.clock.advance(5000);
  expect(rig.provider.calls).toHaveLength(3);
  await rig.untilAllEnded();
  expect(rig.provider.calls[3]?.startedAt).toBe(midnight);
});

test("the tokens of a reply that waits for the store over midnight are of the day on which it was given", async () => {
  const rig = await Rig.start({ limits: { tokensPerDay: 10 } });
  const midnight = Date.parse("2026-03-02T00:00:00.000Z");
  await rig.clock.advance(midnight - 10_000 - rig.clock.now());
  rig.before = (operation) =>
    operation === "messages.finish" && rig.clock.now() < midnight
      ? Promise.reject(new SegueError("storage", "the store does not answer"))
      : undefined;
  await rig.post("a", "1");
  await rig.untilAllEnded();
  expect(rig.clock.now()).toBeGreaterThanOrEqual(midnight);
  expect(await rig.store.tokensOnDayOf(midnight)).toBe(0);
  await rig.crash();
  await rig.boot();
  await rig.post("a", "2");
  await rig.untilAllEnded();
  expect(rig.told("budget.reached")).toEqual([]);
});

test("a day's limit that comes while a turn is let through keeps it back", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1");
  await rig.untilAllEnded();
  let isLimited = false;
  rig.provider.onCreate = async () => {
    if (isLimited) return;
    isLimited = true;
    await rig.edit({ limits: { tokensPerDay: 1 } });
  };
  await rig.post("a", "2");
  await rig.until("the budget is spent", () => rig.told("budget.reached").length === 1);
  expect(rig.provider.calls).toHaveLength(1);
  expect(rig.session("a").state).toMatchObject({ kind: "waiting", for: "budget" });
});

test("slots are given live: more of them when the limit rises, in the order of asking", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 1 } });
  for (const id of ["a", "b", "c", "d", "e"]) {
    await rig.post(id, "1");
    await rig.clock.settle();
  }
  await rig.clock.advance(1000);
  expect(rig.provider.calls.map(({ session }) => session)).toEqual(["a", "b"]);
  await rig.edit({ limits: { turnsPerProvider: 3 } });
  await rig.clock.settle();
  expect(rig.provider.calls.map(({ session }) => session)).toEqual(["a", "b", "c", "d"]);
  expect(rig.session("e").state).toMatchObject({ kind: "waiting", for: "slot" });
});

test("a turn that was let through and has not begun does not begin in a drain", async () => {
  const rig = await Rig.start();
  const loaded = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  rig.provider.onCreate = () => {
    asked.resolve();
    return loaded.promise;
  };
  await rig.post("a", "1");
  await asked.promise;
  rig.core.gate.close();
  loaded.resolve();
  await rig.until("it waits for the end of the drain", () =>
    rig.told("session.waiting").some((waiting) => waiting.for === "drain"),
  );
  expect(rig.told("message.started")).toEqual([]);
  expect(rig.provider.calls).toEqual([]);
});
