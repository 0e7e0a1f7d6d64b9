import { afterEach, expect, test } from "bun:test";
import { Rig, closeRigs, first, second } from "./rig.ts";

afterEach(closeRigs);

test("an idle session moves at once, without a call", async () => {
  const rig = await Rig.start();
  await rig.create("a");
  const before = rig.session("a").generatorId;
  const revision = await rig.edit({ provider: "second" });
  await rig.clock.settle();
  const { generatorId, binding, bindingRevision, state } = rig.session("a");
  expect(generatorId).not.toBe(before);
  expect([binding.provider, bindingRevision, state.kind]).toEqual(["second", revision, "idle"]);
  expect(rig.provider.calls).toEqual([]);
  const [restarted] = rig.told("session.restarted");
  expect(restarted).toMatchObject({
    session: "a",
    from: { provider: "first", model: "one", revision: 1 },
    to: { provider: "second", model: "two", revision: 2 },
    oldGeneratorId: before,
    generatorId,
    reason: "provider_changed",
    waitedMs: 0,
  });
});

test("a session in a turn moves when the turn has ended, not when its queue has", async () => {
  const rig = await Rig.start();
  const ids = await rig.post("a", "1", "2", "3", "4");
  await rig.until("the second turn runs", () => rig.provider.calls.length === 2);
  await rig.edit({ provider: "second" });
  await rig.clock.settle();
  expect(rig.session("a").pendingRestart).toMatchObject({ reason: "provider_changed", blockedBy: "turn" });
  await rig.untilAllEnded();
  const messages = await rig.messages("a");
  expect(messages.map(({ id }) => id)).toEqual(ids);
  expect(messages.map(({ provider, revision }) => [provider, revision])).toEqual([
    ["first", 1],
    ["first", 1],
    ["second", 2],
    ["second", 2],
  ]);
  expect(rig.provider.calls.every((call) => call.end === "answered")).toBe(true);
  expect(rig.provider.to(first)).toHaveLength(2);
  expect(rig.provider.to(second)).toHaveLength(2);
  expect(rig.told("session.restart_deferred")).toMatchObject([
    { session: "a", reason: "provider_changed", blockedBy: "turn" },
  ]);
});

test("a wish that changes while a message is being claimed leaves it its turn, and holds from the next one", async () => {
  const rig = await Rig.start();
  let changed = 0;
  rig.before = (operation) => {
    if (operation === "messages.claim" && changed++ === 0)
      queueMicrotask(() =>
        rig.session("a").refresh({
          overrides: { provider: "second", model: null, mode: null },
          system: null,
        }),
      );
    return undefined;
  };
  await rig.post("a", "1", "2");
  await rig.untilAllEnded();
  expect(changed).toBeGreaterThan(0);
  expect((await rig.messages("a")).map(({ provider, attempts }) => [provider, attempts])).toEqual([
    ["first", 1],
    ["second", 1],
  ]);
  expect(rig.provider.calls.map(({ end }) => end)).toEqual(["answered", "answered"]);
  expect(rig.told("message.requeued")).toEqual([]);
});

test("another model of the same provider is a restart, with its reason", async () => {
  const rig = await Rig.start();
  await rig.create("a");
  await rig.edit({ providers: { first: { model: "one-and-a-half" } } });
  await rig.post("a", "hello");
  await rig.untilAllEnded();
  const [message] = await rig.messages("a");
  expect(message).toMatchObject({ provider: "first", model: "one-and-a-half", revision: 2 });
  expect(rig.told("session.restarted").map(({ reason }) => reason)).toEqual(["model_changed"]);
});

test("sessions that a change does not concern keep their generator", async () => {
  const rig = await Rig.start();
  await rig.create("follows");
  await rig.create("pinned", { provider: "second" });
  const before = rig.session("pinned").generatorId;
  await rig.edit({ provider: "third", providers: { first: { apiKey: "new" } }, turn: { retryMs: 1 } });
  await rig.clock.settle();
  expect(rig.session("pinned").generatorId).toBe(before);
  expect(rig.session("pinned").bindingRevision).toBe(2);
  expect(rig.told("session.restarted").map(({ session }) => session)).toEqual(["follows"]);
});

test("a live key restarts nobody", async () => {
  const rig = await Rig.start();
  await rig.create("idle");
  await rig.post("busy", "1", "2");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  const before = [rig.session("idle").generatorId, rig.session("busy").generatorId];
  await rig.edit({ turn: { maxAttempts: 9 }, limits: { turnsPerProvider: 2 }, reload: { staggerMs: 1 } });
  await rig.untilAllEnded();
  expect([rig.session("idle").generatorId, rig.session("busy").generatorId]).toEqual(before);
  expect((await rig.messages("busy")).map(({ revision }) => revision)).toEqual([1, 2]);
  expect(rig.told("rollout.started")).toEqual([]);
});

test("several changes during a turn are one restart, to the last of them", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1", "2");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  await rig.edit({ provider: "second" });
  await rig.edit({ provider: "third" });
  await rig.edit({ providers: { third: { model: "three-b" } } });
  await rig.untilAllEnded();
  expect((await rig.messages("a")).map(({ model, revision }) => [model, revision])).toEqual([
    ["one", 1],
    ["three-b", 4],
  ]);
  expect(rig.told("session.restarted")).toHaveLength(1);
  expect(rig.provider.to(second)).toEqual([]);
});

test("a change that is taken back before the boundary is no restart", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1", "2");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  const before = rig.session("a").generatorId;
  await rig.edit({ provider: "second" });
  expect(rig.session("a").pendingRestart).not.toBeNull();
  await rig.edit({ provider: "first" });
  expect(rig.session("a").pendingRestart).toBeNull();
  await rig.untilAllEnded();
  expect(rig.session("a").generatorId).toBe(before);
  expect((await rig.messages("a")).map(({ revision }) => revision)).toEqual([1, 3]);
  expect(rig.told("session.restarted")).toEqual([]);
});

test("what a session sets for itself goes the same way: at the boundary", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1", "2");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  await rig.registry.patch("a", { overrides: { provider: "second", model: "mine", mode: null } });
  expect(rig.session("a").pendingRestart?.requestedAt).toBe(rig.clock.now());
  await rig.untilAllEnded();
  expect((await rig.messages("a")).map(({ model }) => model)).toEqual(["one", "mine"]);
  expect(rig.provider.calls[0]?.end).toBe("answered");
});

test("a session that no longer wants what a rollout brings counts as done", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  await rig.edit({ provider: "second" });
  await rig.registry.patch("a", { overrides: { provider: "first", model: null, mode: null } });
  await rig.untilAllEnded();
  expect(rig.registry.rollout).toEqual({ revision: 2, total: 1, done: 1, state: "finished" });
  expect(rig.told("session.restarted")).toEqual([]);
});

test("a message for a session whose step is still to come restarts it right then", async () => {
  const rig = await Rig.start({ reload: { staggerMs: 10_000 } });
  await rig.createMany(["a", "b", "c"]);
  await rig.edit({ provider: "second" });
  await rig.clock.settle();
  const waiting = ["a", "b", "c"].filter((id) => rig.session(id).binding.provider === "first");
  expect(waiting).toHaveLength(2);
  const [late = ""] = waiting;
  expect(rig.session(late).pendingRestart?.blockedBy).toBe("step");
  const editedAt = rig.clock.now();
  await rig.post(late, "hello");
  await rig.clock.settle();
  expect(rig.provider.calls).toMatchObject([{ session: late, startedAt: editedAt }]);
  expect(rig.provider.to(second)).toHaveLength(1);
  await rig.until("the rollout ends", () => rig.registry.rollout?.state === "finished");
  expect(rig.clock.now() - editedAt).toBe(10_000);
});

test("the idle session that was active last restarts first", async () => {
  const rig = await Rig.start({ reload: { staggerMs: 1000 } });
  for (const id of ["a", "b", "c"]) {
    await rig.create(id);
    await rig.clock.advance(10);
  }
  await rig.edit({ provider: "second" });
  await rig.until("the rollout ends", () => rig.registry.rollout?.state === "finished");
  expect(rig.told("session.restarted").map(({ session }) => session)).toEqual(["c", "b", "a"]);
});

test("a newer revision takes the place of a rollout and reaches everybody", async () => {
  const rig = await Rig.start({ reload: { staggerMs: 1000 } });
  await rig.createMany(["a", "b", "c", "d"]);
  await rig.edit({ provider: "second" });
  await rig.clock.advance(1000);
  await rig.edit({ provider: "third" });
  await rig.until("the rollout ends", () => rig.registry.rollout?.state === "finished");
  expect(rig.told("rollout.superseded")).toEqual([{ revision: 2, done: 2, total: 4 }]);
  expect(rig.told("rollout.finished")).toEqual([{ revision: 3, total: 4 }]);
  for (const id of ["a", "b", "c", "d"]) expect(rig.session(id).binding.provider).toBe("third");
  expect(rig.told("session.restarted")).toHaveLength(6);
});

test("a session that waits for its retry moves at once, with its attempts forgotten", async () => {
  const rig = await Rig.start({ turn: { retryMs: 60_000 } });
  rig.provider.answer = ({ config }) =>
    config.endpoint === first ? { refusal: { kind: "overloaded", status: 500 } } : {};
  const [id] = await rig.post("a", "1");
  await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "pending", attempts: 1 });
  const editedAt = rig.clock.now();
  await rig.edit({ provider: "second" });
  await rig.clock.settle();
  expect(rig.provider.to(second)).toMatchObject([{ startedAt: editedAt }]);
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ id, status: "done", attempts: 1, model: "two" });
});

test("a session that waits for a slot moves at once", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 1 } });
  await rig.post("a", "1");
  await rig.post("b", "1");
  await rig.until("b waits", () => rig.session("b").state.kind === "waiting");
  await rig.edit({ provider: "second" });
  await rig.clock.settle();
  expect(rig.provider.to(second)).toMatchObject([{ session: "b" }]);
  expect(rig.provider.calls[0]?.end).toBe("running");
});

test("a provider that a session names and that is gone makes it wait, and its return lets it go on", async () => {
  const rig = await Rig.start();
  await rig.create("a", { provider: "second" });
  await rig.edit({ providers: { second: null } });
  await rig.post("a", "1");
  await rig.until("a waits", () => rig.session("a").state.kind === "waiting");
  expect(rig.session("a").state).toMatchObject({ for: "key", until: null });
  expect(rig.provider.calls).toEqual([]);
  await rig.edit({ providers: { second: { kind: "claude", baseUrl: second, model: "two", apiKey: "k" } } });
  await rig.untilAllEnded();
  expect(rig.provider.to(second)).toHaveLength(1);
});

test("an edit between the choice of a provider and its turn is not too late", async () => {
  const rig = await Rig.start();
  const loaded = Promise.withResolvers<void>();
  let isAsked = false;
  rig.provider.onCreate = async () => {
    if (rig.provider.calls.length === 0) return;
    isAsked = true;
    await loaded.promise;
  };
  await rig.post("a", "1", "2");
  await rig.until("the next turn's provider is being made", () => isAsked);
  expect(rig.session("a").state.kind).toBe("busy");
  await rig.edit({ provider: "second" });
  loaded.resolve();
  await rig.untilAllEnded();
  expect((await rig.messages("a")).map(({ provider }) => provider)).toEqual(["first", "second"]);
});

test("a fallback that was changed between its choice and its turn is not used as it was", async () => {
  const rig = await Rig.start({ fallback: ["second"] });
  rig.provider.answer = ({ config }) =>
    config.endpoint === first ? { refusal: { kind: "rate_limited", retryAfterMs: 3_600_000 } } : {};
  const loaded = Promise.withResolvers<void>();
  let isAsked = false;
  rig.provider.onCreate = async ({ endpoint, key }) => {
    if (endpoint !== second || key !== "key-of-second") return;
    isAsked = true;
    await loaded.promise;
  };
  await rig.post("a", "1");
  await rig.until("the fallback is being made", () => isAsked);
  await rig.edit({ providers: { second: { apiKey: "newer" } } });
  loaded.resolve();
  await rig.untilAllEnded();
  expect(rig.provider.to(second).map(({ config }) => config.key)).toEqual(["newer"]);
});
