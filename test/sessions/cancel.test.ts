import { afterEach, expect, test } from "bun:test";
import { Rig, closeRigs } from "./rig.ts";

afterEach(closeRigs);

/** Holds an operation of the store back until it is let go. */
function heldBack(rig: Rig, held: string): { isAsked: () => boolean; letGo: () => void } {
  const gate = Promise.withResolvers<void>();
  let isAsked = false;
  rig.before = (operation) => {
    if (operation !== held || isAsked) return undefined;
    isAsked = true;
    return gate.promise;
  };
  return { isAsked: () => isAsked, letGo: gate.resolve };
}

test("a running message that is cancelled has its turn aborted, and the next one goes on", async () => {
  const rig = await Rig.start();
  const [running = ""] = await rig.post("a", "1", "2");
  await rig.until("the turn runs", () => rig.provider.calls.length === 1);
  expect((await rig.registry.cancel(running)).status).toBe("cancelled");
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ content, end }) => [content, end])).toEqual([
    ["1", "aborted"],
    ["2", "answered"],
  ]);
  expect((await rig.messages("a")).map(({ status, reply }) => [status, reply])).toEqual([
    ["cancelled", null],
    ["done", "one: 2"],
  ]);
});

test("cancelling what has ended changes nothing and says so", async () => {
  const rig = await Rig.start();
  const [id = ""] = await rig.post("a", "1");
  await rig.untilAllEnded();
  const refusals = await Promise.allSettled([rig.registry.cancel(id), rig.registry.cancel("msg_none")]);
  expect(refusals).toMatchObject([
    { reason: { code: "wrong_status" } },
    { reason: { code: "message_not_found" } },
  ]);
  expect((await rig.messages("a"))[0]?.status).toBe("done");
});

test("a message cancelled while it is claimed is not sent to the provider", async () => {
  const rig = await Rig.start();
  const [, second = ""] = await rig.post("a", "1", "2");
  let cancelling: Promise<unknown> | undefined;
  rig.before = (operation) => {
    // The cancel is asked for right after the claim: they share a commit.
    if (operation === "messages.claim" && rig.provider.calls.length === 1)
      cancelling ??= Promise.resolve().then(() => rig.registry.cancel(second));
    return undefined;
  };
  await rig.untilAllEnded();
  await cancelling;
  expect(rig.told("message.started")).toHaveLength(2);
  expect((await rig.messages("a")).map(({ status }) => status)).toEqual(["done", "cancelled"]);
  expect(rig.provider.calls.map(({ content }) => content)).toEqual(["1"]);
});

test("cancelling the message that waits for its retry lets the next one go at once", async () => {
  const rig = await Rig.start({ turn: { retryMs: 60_000 } });
  rig.provider.answer = ({ content }) => (content === "1" ? { refusal: { kind: "overloaded" } } : {});
  const [id = ""] = await rig.post("a", "1", "2");
  await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
  const cancelledAt = rig.clock.now();
  await rig.registry.cancel(id);
  await rig.clock.settle();
  expect(rig.provider.running()).toMatchObject([{ content: "2", startedAt: cancelledAt }]);
});

test("a session whose only message is cancelled while it waits is idle", async () => {
  const rig = await Rig.start();
  rig.provider.answer = () => ({ refusal: { kind: "rate_limited", retryAfterMs: 3_600_000 } });
  const [id = ""] = await rig.post("a", "1");
  await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
  await rig.registry.cancel(id);
  await rig.clock.settle();
  expect(rig.session("a").state.kind).toBe("idle");
  expect(rig.session("a").isAtWork).toBe(false);
});

test("cancelling another message of a session does not cost it its place in the queue", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 1 } });
  await rig.post("a", "a1");
  await rig.until("a runs", () => rig.provider.calls.length === 1);
  const [, later = ""] = await rig.post("b", "b1", "b2");
  await rig.clock.settle();
  await rig.post("c", "c1");
  await rig.clock.settle();
  await rig.registry.cancel(later);
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ content }) => content)).toEqual(["a1", "b1", "c1"]);
});

test("a busy session that is deleted has its turn aborted, and nothing of it comes later", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1", "2");
  await rig.until("the turn runs", () => rig.provider.calls.length === 1);
  const before = rig.events.length;
  await rig.registry.delete("a");
  await rig.clock.advance(60_000);
  expect(rig.provider.calls.map(({ end }) => end)).toEqual(["aborted"]);
  expect(rig.registry.find("a")).toBeUndefined();
  expect(await rig.messages("a")).toEqual([]);
  expect(rig.events.slice(before).map(({ type }) => type)).toEqual([
    "message.cancelled",
    "message.cancelled",
    "session.deleted",
  ]);
  expect(rig.core.gate.totalInFlight()).toBe(0);
});

test("a session that is deleted and posted to in one breath takes the message", async () => {
  const rig = await Rig.start();
  await rig.create("a");
  await Promise.all([rig.registry.delete("a"), rig.post("a", "again")]);
  await rig.untilAllEnded();
  const messages = await rig.messages("a");
  expect(messages.map(({ content, status, seq }) => [content, status, seq])).toEqual([["again", "done", 1]]);
});

test.each([
  ["by its user", (rig: Rig): Promise<unknown> => rig.registry.delete("a")],
  ["as one left empty", (rig: Rig): Promise<unknown> => rig.registry.deleteEmpty(0, rig.clock.now())],
])("a session deleted %s and posted to twice in one breath takes one after the other", async (_, remove) => {
  const rig = await Rig.start();
  // Under a proven binding two may run at once.
  await rig.post("b", "0");
  await rig.untilAllEnded();
  await rig.create("a");
  await rig.clock.advance(1000);
  await Promise.all([remove(rig), rig.post("a", "1"), rig.post("a", "2")]);
  await rig.untilAllEnded();
  expect(rig.told("session.deleted")).toHaveLength(1);
  const told = rig.events.filter(({ type }) => ["message.started", "message.done"].includes(type));
  expect(told.slice(2).map(({ type, data }) => [type, JSON.parse(data).seq])).toEqual([
    ["message.started", 1],
    ["message.done", 1],
    ["message.started", 2],
    ["message.done", 2],
  ]);
});

/** Session `a` is made anew in place of a deleted one, whose turn is still being stored until it is let go. */
async function madeAnew(rig: Rig): Promise<{ letGo: () => void; deleting: Promise<void> }> {
  await rig.post("a", "old");
  const { isAsked, letGo } = heldBack(rig, "messages.finish");
  await rig.until("the turn is being stored", isAsked);
  const deleting = rig.registry.delete("a");
  await rig.post("a", "new");
  await rig.clock.settle();
  return { letGo, deleting };
}

test("a session made in place of one that still ends is loaded, and begins when that has ended", async () => {
  const rig = await Rig.start();
  const { letGo, deleting } = await madeAnew(rig);
  expect(rig.session("a").state.kind).toBe("restarting");
  expect(rig.provider.calls).toHaveLength(1);
  letGo();
  await deleting;
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ content }) => content)).toEqual(["old", "new"]);
  await rig.clock.settle();
  expect(rig.session("a").state.kind).toBe("idle");
});

test("what a session comes to want while the one before it still ends holds for its first turn", async () => {
  const rig = await Rig.start();
  const { letGo, deleting } = await madeAnew(rig);
  await rig.registry.patch("a", { overrides: { provider: "second", model: null, mode: null } });
  letGo();
  await deleting;
  await rig.untilAllEnded();
  expect(rig.told("message.started").map(({ provider }) => provider)).toEqual(["first", "second"]);
});

test("a session that is deleted while the one before it still ends begins no turn", async () => {
  const rig = await Rig.start();
  const { letGo, deleting } = await madeAnew(rig);
  const again = rig.registry.delete("a");
  await rig.post("a", "newest");
  await rig.clock.settle();
  expect(rig.provider.calls).toHaveLength(1);
  letGo();
  await Promise.all([deleting, again]);
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ content }) => content)).toEqual(["old", "newest"]);
});

test("a session deleted and posted to while it claims takes the message, though the old one claimed it", async () => {
  const rig = await Rig.start();
  await rig.post("a", "old");
  let posting: Promise<unknown> | undefined;
  rig.before = (operation) => {
    // Deletion and post are asked for right before the claim: they share a commit.
    if (operation === "messages.claim")
      posting ??= Promise.all([rig.registry.delete("a"), rig.post("a", "again")]);
    return undefined;
  };
  await rig.clock.settle();
  await posting;
  await rig.untilAllEnded();
  const messages = await rig.messages("a");
  expect(messages.map(({ content, status }) => [content, status])).toEqual([["again", "done"]]);
});

test("a drain waits until a session that was deleted before it has let go", async () => {
  const rig = await Rig.start();
  const loaded = Promise.withResolvers<void>();
  let isLoading = false;
  rig.provider.onCreate = () => {
    isLoading = true;
    return loaded.promise;
  };
  await rig.post("a", "1");
  await rig.until("its turn is let through", () => isLoading);
  const deleting = rig.registry.delete("a");
  await rig.until("it is deleted", () => rig.told("session.deleted").length === 1);
  let isDrained = false;
  const draining = rig.registry.drain(rig.clock.now()).then(() => (isDrained = true));
  await rig.clock.advance(60_000);
  expect(isDrained).toBe(false);
  loaded.resolve();
  await Promise.all([deleting, draining]);
  expect(rig.provider.calls).toEqual([]);
});

test("a session deleted while its turn is being stored stays deleted", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1");
  const { isAsked, letGo } = heldBack(rig, "messages.finish");
  await rig.until("the turn is being stored", isAsked);
  const deleting = rig.registry.delete("a");
  await rig.clock.settle();
  letGo();
  await deleting;
  await rig.clock.advance(60_000);
  expect(await rig.store.sessions.get("a")).toBeUndefined();
  expect(rig.told("message.done")).toEqual([]);
});
