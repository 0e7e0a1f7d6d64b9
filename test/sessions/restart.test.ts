import { afterEach, expect, test } from "bun:test";
import { Rig, closeRigs, first, second } from "./rig.ts";

afterEach(closeRigs);

test("an idle session asked to restart gets another generator under the same binding", async () => {
  const rig = await Rig.start();
  await rig.create("a");
  const { generatorId } = rig.session("a");
  expect(await rig.registry.restart("a", "boundary")).toBe("now");
  await rig.clock.settle();
  expect(rig.session("a").generatorId).not.toBe(generatorId);
  expect(rig.session("a").binding.provider).toBe("first");
  expect(rig.told("session.restarted")).toMatchObject([{ reason: "requested", oldGeneratorId: generatorId }]);
});

test("a busy session restarts at its boundary, once, however often it is asked", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1", "2");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  expect(await rig.registry.restart("a", "boundary")).toBe("at_boundary");
  expect(await rig.registry.restart("a", "boundary")).toBe("at_boundary");
  expect(rig.session("a").pendingRestart).toMatchObject({ reason: "requested", blockedBy: "turn" });
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ end }) => end)).toEqual(["answered", "answered"]);
  expect(rig.told("session.restarted")).toHaveLength(1);
});

test("a busy session that restarts now has its message put back, uncounted, and takes it again", async () => {
  const rig = await Rig.start();
  const [id = ""] = await rig.post("a", "1", "2");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  expect(await rig.registry.restart("a", "now")).toBe("now");
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ content, end }) => [content, end])).toEqual([
    ["1", "aborted"],
    ["1", "answered"],
    ["2", "answered"],
  ]);
  expect(rig.told("message.requeued")).toMatchObject([{ message: id, reason: "restart" }]);
  expect((await rig.messages("a")).map(({ attempts }) => attempts)).toEqual([1, 1]);
  expect(rig.told("session.restarted")).toHaveLength(1);
});

test("a session that restarts now while it claims a message does not take the turn before", async () => {
  const rig = await Rig.start();
  let restarting: Promise<unknown> | undefined;
  rig.before = (operation) => {
    if (operation === "messages.claim")
      restarting ??= Promise.resolve().then(() => rig.registry.restart("a", "now"));
    return undefined;
  };
  await rig.create("a");
  const { generatorId } = rig.session("a");
  await rig.post("a", "1");
  await rig.clock.settle();
  await restarting;
  expect(rig.session("a").generatorId).not.toBe(generatorId);
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ end }) => end)).toEqual(["answered"]);
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "done", attempts: 1 });
});

test("a restart by hand keeps what was tried: it is no new binding", async () => {
  const rig = await Rig.start({ turn: { maxAttempts: 3, retryMs: 1000 } });
  rig.provider.answer = () => ({ refusal: { kind: "overloaded" } });
  await rig.post("a", "1");
  await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
  const [before] = await rig.messages("a");
  await rig.registry.restart("a", "now");
  await rig.clock.settle();
  expect((await rig.messages("a"))[0]).toMatchObject({ attempts: 1, retryAt: before?.retryAt ?? 0 });
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "failed", attempts: 3 });
  expect(rig.provider.calls).toHaveLength(3);
});

test("a restart by hand that an edit overtakes moves the message there at once, with attempts 0", async () => {
  const rig = await Rig.start();
  rig.provider.answer = ({ config }) =>
    config.endpoint === first ? { refusal: { kind: "overloaded" } } : {};
  await rig.post("a", "1");
  await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
  const askedAt = rig.clock.now();
  let edited: Promise<unknown> | undefined;
  rig.before = (operation) => {
    if (operation !== "messages.head") return undefined;
    return (edited ??= rig.edit({ provider: "second" })).then(() => undefined);
  };
  await rig.registry.restart("a", "now");
  await rig.clock.settle();
  expect(rig.provider.to(second)).toMatchObject([{ startedAt: askedAt }]);
  expect(rig.told("session.restarted")).toMatchObject([
    { reason: "provider_changed", from: { provider: "first" }, to: { provider: "second" } },
  ]);
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "done", attempts: 1 });
});

test("a restart for an edit that is taken back meanwhile keeps what was tried, and its wait", async () => {
  const rig = await Rig.start();
  let refusals = 1;
  rig.provider.answer = () => (refusals-- > 0 ? { refusal: { kind: "overloaded" } } : {});
  await rig.post("a", "1");
  await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
  const [waiting] = await rig.messages("a");
  const { generatorId } = rig.session("a");
  let takenBack: Promise<unknown> | undefined;
  rig.before = (operation) => {
    if (operation !== "messages.head") return undefined;
    return (takenBack ??= rig.edit({ provider: "first" })).then(() => undefined);
  };
  await rig.edit({ provider: "second" });
  await rig.clock.settle();
  expect(rig.session("a").generatorId).not.toBe(generatorId);
  expect((await rig.messages("a"))[0]).toMatchObject({ attempts: 1, retryAt: waiting?.retryAt ?? 0 });
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "done", attempts: 2 });
  expect(rig.provider.to(second)).toEqual([]);
  expect(rig.told("session.restarted")).toMatchObject([{ reason: "requested" }]);
});

test("a restart that had forgotten what was tried before its edit was taken back says what it was for", async () => {
  const rig = await Rig.start();
  let refusals = 1;
  rig.provider.answer = () => (refusals-- > 0 ? { refusal: { kind: "overloaded" } } : {});
  await rig.post("a", "1");
  await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
  let edited: Promise<unknown> | undefined;
  let takenBack: Promise<unknown> | undefined;
  rig.before = (operation) => {
    if (operation === "messages.head")
      return (edited ??= rig.edit({ provider: "second" })).then(() => undefined);
    if (operation !== "messages.resetAttempts") return undefined;
    return (takenBack ??= rig.edit({ provider: "first" })).then(() => undefined);
  };
  await rig.registry.restart("a", "now");
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "done", attempts: 1 });
  expect(rig.provider.to(second)).toEqual([]);
  expect(rig.told("session.restarted")).toMatchObject([{ reason: "provider_changed" }]);
});

test("a session that is not loaded has nothing to restart, and one that is none is not found", async () => {
  const rig = await Rig.start({ sessions: { idleUnloadMs: 1000 } });
  await rig.create("a");
  await rig.until("it is unloaded", () => rig.registry.size === 0);
  expect(await rig.registry.restart("a", "now")).toBe("now");
  const refused = await Promise.allSettled([rig.registry.restart("nobody", "now")]);
  expect(refused).toMatchObject([{ reason: { code: "session_not_found" } }]);
});

test("a call that does not let go is left to itself, and what it says later is not listened to", async () => {
  const rig = await Rig.start();
  const late = Promise.withResolvers<void>();
  let isFirst = true;
  rig.provider.answer = () => {
    const answer = isFirst ? { letsGoOf: late.promise } : {};
    isFirst = false;
    return answer;
  };
  await rig.post("a", "1");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  const askedAt = rig.clock.now();
  await rig.registry.restart("a", "now");
  await rig.until("it is taken again", () => rig.provider.calls.length === 2);
  expect(rig.clock.now() - askedAt).toBeLessThanOrEqual(5000);
  late.resolve();
  await rig.untilAllEnded();
  await rig.clock.advance(60_000);
  expect(rig.told("message.done")).toHaveLength(1);
  expect((await rig.messages("a"))[0]?.reply).toBe("one: 1");
});

test("a call that does not let go before its time would be over was aborted all the same: nothing counts", async () => {
  const rig = await Rig.start({ turn: { timeoutMs: 5000 } });
  const late = Promise.withResolvers<void>();
  rig.provider.answer = () => (rig.provider.calls.length === 1 ? { letsGoOf: late.promise } : {});
  await rig.post("a", "1");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  await rig.clock.advance(4000);
  await rig.registry.restart("a", "now");
  await rig.untilAllEnded();
  late.resolve();
  expect(rig.told("message.requeued")).toMatchObject([{ reason: "restart" }]);
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "done", attempts: 1 });
});

test("a finish that comes after its lease was given to another changes nothing", async () => {
  const rig = await Rig.start();
  const [id = ""] = await rig.post("a", "1");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  const lease = { boot: rig.core.boot, generator: rig.session("a").generatorId };
  await rig.registry.restart("a", "now");
  await rig.until("it is taken again", () => rig.provider.calls.length === 2);
  const finished = await rig.store.messages.finish({
    messages: [id],
    lease,
    result: {
      kind: "done",
      reply: "too late",
      finish: "stop",
      usage: { inputTokens: 1, outputTokens: 1 },
    },
    rollover: null,
    identity: "",
    at: rig.clock.now(),
  });
  expect(finished).toBeUndefined();
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]?.reply).toBe("one: 1");
});

test("a drain lets turns in flight end and starts no other", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1", "2");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  await rig.post("b", "1");
  expect(await rig.stop(20_000)).toEqual({ aborted: 0, requeued: 0 });
  await rig.boot();
  expect(await rig.messages("a")).toMatchObject([
    { status: "done", attempts: 1 },
    { status: "pending", attempts: 0 },
  ]);
  await rig.untilAllEnded();
  expect(rig.provider.calls).toHaveLength(3);
});

test("at the end of the grace what is left is aborted and put back, uncounted", async () => {
  const rig = await Rig.start({ turn: { mode: "batch" } });
  rig.provider.answer = ({ content }) => (content === "quick" ? {} : { afterMs: 100_000 });
  await rig.post("warm", "quick");
  await rig.untilAllEnded();
  await rig.post("a", "1", "2");
  await rig.post("b", "1");
  await rig.until("both run", () => rig.provider.running().length === 2);
  const stoppedAt = rig.clock.now();
  expect(await rig.stop(5000)).toEqual({ aborted: 2, requeued: 3 });
  expect(rig.clock.now() - stoppedAt).toBe(5000);
  expect(rig.told("message.requeued").map(({ reason }) => reason)).toEqual(["drain", "drain", "drain"]);
  rig.provider.answer = () => ({});
  await rig.boot();
  await rig.untilAllEnded();
  for (const message of await rig.allMessages())
    expect(message).toMatchObject({ status: "done", attempts: 1 });
});

test("after a crash the message in flight comes first, under its own seq, and nothing is stored twice", async () => {
  const rig = await Rig.start();
  const ids = await rig.post("a", "1", "2", "3");
  await rig.until("the second turn runs", () => rig.provider.calls.length === 2);
  await rig.crash();
  await rig.boot();
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ content }) => content)).toEqual(["1", "2", "2", "3"]);
  expect((await rig.messages("a")).map(({ id, status, attempts }) => [id, status, attempts])).toEqual(
    ids.map((id) => [id, "done", 1]),
  );
});

test("a restart of the daemon leaves no restart pending: who is loaded has the newest binding", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1", "2");
  await rig.until("a turn runs", () => rig.provider.calls.length === 1);
  await rig.edit({ provider: "second" });
  await rig.crash();
  await rig.boot();
  expect(rig.session("a").pendingRestart).toBeNull();
  await rig.untilAllEnded();
  expect(rig.provider.to(first)).toHaveLength(1);
  expect(rig.provider.to(second)).toHaveLength(2);
  expect(rig.told("session.restarted")).toEqual([]);
});
