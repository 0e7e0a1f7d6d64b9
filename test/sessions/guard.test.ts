import { afterEach, describe, expect, test } from "bun:test";
import { Rig, closeRigs, first, second, third } from "./rig.ts";
import type { Call } from "./scripted-provider.ts";

afterEach(closeRigs);

const wrongKey = { providers: { first: { apiKey: "wrong" } } };
const rightKey = { providers: { first: { apiKey: "right" } } };

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `s${index + 1}`);
}

/** A server that refuses the wrong key and the unknown model. */
function strict({ config }: Call) {
  if (config.key === "wrong") return { refusal: { kind: "auth", status: 401 } } as const;
  if (config.model === "unknown") return { refusal: { kind: "not_found", status: 404 } } as const;
  return {};
}

/** A daemon whose sessions have all had a turn under the settings of before. */
async function proven(sessions: readonly string[], document = {}): Promise<Rig> {
  const rig = await Rig.start({ limits: { turnsPerProvider: 1000 }, ...document });
  await Promise.all(sessions.map((session) => rig.post(session, "0")));
  await rig.untilAllEnded();
  rig.provider.answer = strict;
  rig.provider.calls.length = 0;
  return rig;
}

/**
 * A daemon whose session `a` found the second provider unreachable and went back to the first, as `b` did. The provider
 * is well again, the time to try it has come, and its one slot is taken for long.
 */
async function withTrialDue(): Promise<Rig> {
  const rig = await proven(["a", "b"], { reload: { guard: "any" }, limits: { turnsPerProvider: 1 } });
  await rig.create("holds the slot", { provider: "second", model: "there" });
  let isUp = false;
  rig.provider.answer = ({ config, session }) => {
    if (session === "holds the slot") return { afterMs: 600_000 };
    return config.endpoint === second && !isUp ? { afterMs: 1, refusal: { kind: "unreachable" } } : {};
  };
  await rig.edit({ provider: "second" });
  await rig.post("a", "1");
  await rig.untilAllEnded();
  isUp = true;
  await rig.post("holds the slot", "long");
  await rig.clock.advance(60_000);
  return rig;
}

describe("a wrong key saved in the middle of the work of 200 sessions", () => {
  test("costs one refused call; the old binding does the work, and the right key gets all of them", async () => {
    const sessions = names(200);
    const rig = await proven(sessions);
    await Promise.all(sessions.map((session) => rig.post(session, "1", "2", "3")));
    await rig.until("all are in a turn", () => rig.provider.running().length === 200);
    const wrong = await rig.edit(wrongKey);
    await rig.until("the key was refused", () => rig.told("settings.held").length === 1);
    expect(rig.told("settings.held")).toEqual([
      {
        provider: "first",
        model: "one",
        endpoint: first,
        reason: "auth",
        sessions: 200,
        runningUnder: { provider: "first", model: "one" },
      },
    ]);
    await rig.untilAllEnded();
    expect(rig.provider.to(first, { key: "wrong" })).toHaveLength(1);
    expect(rig.provider.to(first, { key: "key-of-first" })).toHaveLength(600);
    for (const { status, attempts, revision } of await rig.allMessages())
      expect([status, attempts, revision === null || revision < wrong]).toEqual(["done", 1, true]);
    expect(rig.told("message.requeued")).toMatchObject([{ reason: "held", error: { kind: "auth" } }]);

    await rig.edit(rightKey);
    expect([...rig.core.guard.holds()]).toEqual([]);
    await rig.until("the rollout ends", () => rig.registry.rollout?.state === "finished");
    await Promise.all(sessions.map((session) => rig.post(session, "4")));
    await rig.untilAllEnded();
    expect(rig.provider.to(first, { key: "right" })).toHaveLength(200);
    expect(rig.provider.to(first, { key: "wrong" })).toHaveLength(1);
    expect(rig.told("message.failed")).toEqual([]);
    expect(rig.told("settings.released")).toHaveLength(1);
  }, 30_000);

  test("is tried by one turn while all others wait, and says what they wait for", async () => {
    const sessions = names(20);
    const rig = await proven(sessions);
    rig.provider.answer = (call) =>
      call.config.key === "wrong" ? { ...strict(call), afterMs: 10_000 } : strict(call);
    await rig.edit(wrongKey);
    await Promise.all(sessions.map((session) => rig.post(session, "1")));
    await rig.clock.advance(5000);
    expect(rig.provider.calls).toHaveLength(1);
    const states = sessions.map((session) => rig.session(session).state);
    expect(states.filter((state) => state.kind === "waiting" && state.for === "canary")).toHaveLength(19);
    await rig.untilAllEnded();
    expect(rig.provider.to(first, { key: "wrong" })).toHaveLength(1);
  });
});

test("a good new key is tried by one turn, and then all go", async () => {
  const sessions = names(20);
  const rig = await proven(sessions);
  await rig.edit(rightKey);
  await Promise.all(sessions.map((session) => rig.post(session, "1")));
  await rig.clock.advance(500);
  expect(rig.provider.running()).toHaveLength(1);
  await rig.clock.advance(1000);
  expect(rig.provider.running()).toHaveLength(19);
  await rig.untilAllEnded();
  expect(rig.told("settings.held")).toEqual([]);
});

test("an unknown model is held; the messages are done by the model before", async () => {
  const sessions = names(5);
  const rig = await proven(sessions);
  await rig.edit({ providers: { first: { model: "unknown" } } });
  await Promise.all(sessions.map((session) => rig.post(session, "1")));
  await rig.untilAllEnded();
  expect(rig.provider.to(first, { model: "unknown" })).toHaveLength(1);
  expect(rig.provider.to(first, { model: "one" })).toHaveLength(5);
  expect(rig.told("settings.held")).toMatchObject([{ reason: "not_found", model: "unknown" }]);
});

test("a canary that ends in anything else is no verdict: the next turn is the canary", async () => {
  const rig = await proven(["a", "b"]);
  let isOverloaded = true;
  rig.provider.answer = ({ config }) =>
    config.key === "right" && isOverloaded ? { refusal: { kind: "overloaded" } } : {};
  await rig.edit(rightKey);
  await rig.post("a", "1");
  await rig.post("b", "1");
  await rig.until("both were tried", () => rig.provider.calls.length >= 2);
  expect(rig.provider.peak()).toBe(1);
  isOverloaded = false;
  await rig.untilAllEnded();
  expect(rig.told("settings.held")).toEqual([]);
  expect(rig.provider.to(first, { key: "key-of-first" })).toEqual([]);
});

describe("another endpoint that is not there", () => {
  test("nothing more reaches the first server; messages wait and go when it comes up", async () => {
    const sessions = names(10);
    const rig = await proven(sessions);
    let isUp = false;
    rig.provider.answer = ({ config }) =>
      config.endpoint === second && !isUp ? { afterMs: 1, refusal: { kind: "unreachable" } } : {};
    await rig.edit({ provider: "second" });
    await Promise.all(sessions.map((session) => rig.post(session, "1", "2")));
    await rig.clock.advance(600_000);
    expect(rig.provider.to(first)).toEqual([]);
    expect(rig.provider.peak()).toBe(1);
    // 2, 8, 32, 128 s, then every five minutes.
    expect(rig.provider.to(second)).toHaveLength(6);
    expect(rig.session("s1").state).toMatchObject({ kind: "waiting", for: "unreachable" });
    isUp = true;
    await rig.untilAllEnded();
    const messages = (await rig.allMessages()).filter(({ content }) => content !== "0");
    for (const { status, attempts, provider } of messages)
      expect([status, attempts, provider]).toEqual(["done", 1, "second"]);
    expect(rig.told("settings.released")).toHaveLength(1);
  });

  test("is tried by itself, one turn at a time, while an older address of it does the work", async () => {
    const rig = await proven(["a", "b"], { reload: { guard: "any" } });
    let isUp = false;
    rig.provider.answer = ({ config }) =>
      config.endpoint === second && !isUp ? { afterMs: 1, refusal: { kind: "unreachable" } } : {};
    await rig.edit({ provider: "second" });
    await rig.post("a", ...names(20));
    await rig.post("b", ...names(20));
    await rig.until("the first server has done some", () => rig.provider.to(first).length === 20);
    isUp = true;
    await rig.untilAllEnded();
    const calls = rig.provider.to(second);
    expect(calls.filter(({ end }) => end === "refused").length).toBeLessThanOrEqual(4);
    expect(calls.filter(({ end }) => end === "answered").length).toBeGreaterThan(5);
    expect([...rig.core.guard.holds()]).toEqual([]);
    expect(rig.session("a").binding.provider).toBe("second");
    expect(rig.session("b").binding.provider).toBe("second");
  });

  test("who is to try it again and has nothing left to try it with leaves that to another", async () => {
    const rig = await withTrialDue();
    const [only = ""] = await rig.post("a", "2");
    await rig.until("a is to try it", () => rig.session("a").state.kind === "waiting");
    expect(rig.session("a").binding.provider).toBe("second");
    await rig.registry.cancel(only);
    await rig.clock.settle();
    expect(rig.session("a").binding.provider).toBe("first");
    await rig.post("b", "1");
    await rig.untilAllEnded();
    expect((await rig.messages("b")).at(-1)).toMatchObject({ status: "done", provider: "second" });
  });

  test("who is to try it again and comes to want another leaves that to another", async () => {
    const rig = await withTrialDue();
    await rig.post("a", "2");
    await rig.until("a is to try it", () => rig.session("a").state.kind === "waiting");
    await rig.registry.patch("a", { overrides: { provider: "third", model: null, mode: null } });
    await rig.post("b", "1");
    await rig.untilAllEnded();
    expect((await rig.messages("b")).at(-1)).toMatchObject({ status: "done", provider: "second" });
  });
});

describe("where there is no earlier binding", () => {
  test("the message waits, and goes when the key is right; none fails", async () => {
    const rig = await Rig.start(wrongKey);
    rig.provider.answer = strict;
    await rig.post("a", "1");
    await rig.post("b", "1");
    await rig.clock.advance(3_600_000);
    expect(rig.provider.calls).toHaveLength(1);
    expect(rig.session("a").state).toMatchObject({ kind: "waiting", for: "auth", until: null });
    await rig.edit(rightKey);
    await rig.untilAllEnded();
    expect(rig.provider.to(first, { key: "right" })).toHaveLength(2);
    expect(rig.told("message.failed")).toEqual([]);
  });

  test("the fallback answers, and says for whom", async () => {
    const rig = await Rig.start({ ...wrongKey, fallback: ["third"] });
    rig.provider.answer = strict;
    await rig.post("a", "1", "2");
    await rig.untilAllEnded();
    expect(rig.provider.to(first)).toHaveLength(1);
    expect((await rig.messages("a")).map(({ provider, fallbackFrom }) => [provider, fallbackFrom])).toEqual([
      ["third", "first"],
      ["third", "first"],
    ]);
  });

  test("a fallback that is refused too is held too, and the next one answers", async () => {
    const rig = await Rig.start({ ...wrongKey, fallback: ["second", "third"] });
    rig.provider.answer = (call) =>
      call.config.endpoint === second ? { refusal: { kind: "not_found" } } : strict(call);
    await rig.post("a", "1");
    await rig.untilAllEnded();
    expect(rig.provider.calls.map(({ config }) => config.endpoint)).toEqual([first, second, third]);
    expect(rig.told("settings.held").map(({ provider }) => provider)).toEqual(["first", "second"]);
  });

  test("another server is none to go back to; with `any` it is", async () => {
    const change = { provider: "second", providers: { second: { apiKey: "wrong" } } };
    const strictly = await proven(["a"]);
    await strictly.edit(change);
    await strictly.post("a", "1");
    await strictly.clock.advance(60_000);
    expect(strictly.session("a").state).toMatchObject({ kind: "waiting", for: "auth" });
    expect(strictly.provider.to(first)).toEqual([]);
    await strictly.edit({ reload: { guard: "any" } });
    await strictly.untilAllEnded();
    expect(strictly.provider.to(first)).toHaveLength(1);
    expect(strictly.provider.to(second)).toHaveLength(1);
  });
});

describe("with the guard off", () => {
  test("nothing goes back: the provider is parked and messages wait", async () => {
    const rig = await proven(["a", "b"], { reload: { guard: "off" } });
    await rig.edit(wrongKey);
    await rig.post("a", "1");
    await rig.post("b", "1");
    await rig.clock.advance(60_000);
    expect(rig.told("settings.held")).toEqual([]);
    expect(rig.told("provider.parked")).toMatchObject([{ reason: "auth", endpoint: first, model: null }]);
    expect(rig.provider.calls).toHaveLength(1);
    await rig.edit(rightKey);
    await rig.untilAllEnded();
    expect(rig.told("message.failed")).toEqual([]);
  });

  test("what is held is released when it is put off", async () => {
    const rig = await Rig.start(wrongKey);
    rig.provider.answer = strict;
    await rig.post("a", "1");
    await rig.until("it is held", () => rig.told("settings.held").length === 1);
    await rig.edit({ reload: { guard: "off" } });
    await rig.clock.advance(2000);
    expect(rig.told("settings.released")).toHaveLength(1);
    expect(rig.told("provider.parked")).toHaveLength(1);
    expect(rig.provider.calls).toHaveLength(2);
  });
});

test("a hold outlasts a drain, whatever is edited and wished for when nobody is loaded any more", async () => {
  const rig = await Rig.start();
  rig.provider.answer = ({ config }) => (config.endpoint === second ? { refusal: { kind: "auth" } } : {});
  await rig.create("a", { provider: "second" });
  await rig.create("b");
  await rig.post("a", "1");
  await rig.until("it is held", () => rig.told("settings.held").length === 1);
  rig.core.gate.close();
  await rig.registry.drain(rig.clock.now());
  await rig.edit({ turn: { maxAttempts: 7 } });
  await rig.registry.patch("b", { title: "another" });
  await rig.clock.settle();
  expect(rig.told("settings.released")).toEqual([]);
  await rig.crash();
  await rig.boot();
  await rig.clock.advance(60_000);
  expect(rig.session("a").state).toMatchObject({ kind: "waiting", for: "auth" });
  expect(rig.provider.calls).toHaveLength(1);
});

test.each([
  { guard: "endpoint", name: "hold" },
  { guard: "off", name: "park" },
])(
  "a $name outlasts an edit and a wish made while those who want it are still to be loaded",
  async ({ guard }) => {
    const rig = await Rig.start({ reload: { guard } });
    rig.provider.answer = strict;
    await rig.create("a", { provider: "second", model: "unknown" });
    await rig.create("b");
    await rig.post("a", "1");
    await rig.until("it was refused", () => rig.session("a").state.kind === "waiting");
    await rig.crash();
    const loading = Promise.withResolvers<void>();
    rig.before = (operation) => (operation === "sessions.withPending" ? loading.promise : undefined);
    const booting = rig.boot();
    await rig.clock.settle();
    await rig.edit({ turn: { maxAttempts: 7 } });
    await rig.registry.patch("b", { title: "another" });
    loading.resolve();
    await booting;
    await rig.clock.advance(60_000);
    expect(rig.session("a").state).toMatchObject({ kind: "waiting", for: "not_found" });
    expect(rig.provider.calls).toHaveLength(1);
  },
);

describe("a release", () => {
  test("tries again at once, and where it is refused again waits instead of going back", async () => {
    const rig = await proven(["a", "b"]);
    await rig.edit(wrongKey);
    await rig.post("a", "1");
    await rig.untilAllEnded();
    rig.release();
    await rig.post("a", "2");
    await rig.post("b", "2");
    await rig.clock.advance(60_000);
    expect(rig.provider.to(first, { key: "wrong" })).toHaveLength(2);
    expect(rig.provider.to(first, { key: "key-of-first" })).toHaveLength(1);
    expect(rig.session("a").state).toMatchObject({ kind: "waiting", for: "auth" });
    expect(rig.session("b").state).toMatchObject({ kind: "waiting", for: "auth" });
    rig.provider.answer = () => ({});
    rig.release();
    await rig.untilAllEnded();
    expect(rig.provider.to(first, { key: "wrong" })).toHaveLength(4);
    expect(rig.told("settings.released")).toHaveLength(2);
  });

  test("that finds the cause gone brings all sessions to what they want", async () => {
    const rig = await proven(["a", "b"]);
    await rig.edit(wrongKey);
    await rig.post("a", "1");
    await rig.untilAllEnded();
    rig.provider.answer = () => ({});
    rig.release();
    await rig.until("the rollout ends", () => rig.registry.rollout?.state === "finished");
    expect(rig.session("a").binding.config.key).toBe("wrong");
    expect(rig.session("b").binding.config.key).toBe("wrong");
  });
});

test("a binding that nobody wants any more is held no longer", async () => {
  const rig = await proven(["a"]);
  await rig.edit(wrongKey);
  await rig.post("a", "1");
  await rig.untilAllEnded();
  await rig.edit({ provider: "second" });
  expect([...rig.core.guard.holds()]).toEqual([]);
  await rig.clock.settle();
  expect(rig.told("settings.released")).toMatchObject([{ provider: "first", endpoint: first }]);
});

test("a session with a model of its own is not held back by what others want", async () => {
  const rig = await proven(["follows"]);
  await rig.create("pinned", { provider: "first", model: "special" });
  await rig.edit({ providers: { first: { model: "unknown" } } });
  await rig.post("follows", "1");
  await rig.post("pinned", "1");
  await rig.untilAllEnded();
  expect(rig.provider.to(first, { model: "special" })).toHaveLength(1);
  expect((await rig.messages("pinned"))[0]).toMatchObject({ model: "special", status: "done" });
  expect((await rig.messages("follows")).at(-1)).toMatchObject({ model: "one", status: "done" });
});

test("the hold of one session's own wish leaves the others alone, and ends when it wishes otherwise", async () => {
  const rig = await proven(["a", "b"]);
  await rig.registry.patch("a", { overrides: { provider: "first", model: "unknown", mode: null } });
  await rig.post("a", "1");
  await rig.post("b", "1");
  await rig.untilAllEnded();
  expect(rig.told("settings.held")).toMatchObject([{ model: "unknown", sessions: 1 }]);
  expect(rig.told("session.restarted").map(({ session }) => session)).toEqual(["a", "a"]);
  await rig.registry.patch("a", { overrides: { provider: null, model: null, mode: null } });
  expect([...rig.core.guard.holds()]).toEqual([]);
  await rig.post("a", "2");
  await rig.untilAllEnded();
  expect((await rig.messages("a")).map(({ model }) => model)).toEqual(["one", "one", "one"]);
});

test("a canary that is refused when nobody wants its binding any more holds nothing", async () => {
  const rig = await proven(["a"]);
  await rig.edit(wrongKey);
  await rig.post("a", "1");
  await rig.until("the canary runs", () => rig.provider.calls.length === 1);
  await rig.edit(rightKey);
  await rig.untilAllEnded();
  expect([...rig.core.guard.holds()]).toEqual([]);
  expect(rig.told("settings.held")).toEqual([]);
  expect((await rig.messages("a")).at(-1)).toMatchObject({ status: "done", attempts: 1 });
  expect(rig.provider.calls.map(({ config }) => config.key)).toEqual(["wrong", "right"]);
});

describe("over a restart of the daemon", () => {
  test("the hold stays, and where the old key no longer resolves messages wait", async () => {
    const rig = await proven(["a"]);
    await rig.edit(wrongKey);
    await rig.post("a", "1");
    await rig.untilAllEnded();
    await rig.stop();
    await rig.boot();
    expect([...rig.core.guard.holds()]).toMatchObject([{ reason: "auth", provider: "first" }]);
    await rig.post("a", "2");
    await rig.clock.advance(60_000);
    expect(rig.session("a").state).toMatchObject({ kind: "waiting", for: "auth" });
    expect(rig.provider.to(first, { key: "wrong" })).toHaveLength(1);
    await rig.edit(rightKey);
    await rig.untilAllEnded();
    expect(rig.told("message.failed")).toEqual([]);
  });

  test("an unknown model is still held, and its sessions still run under the one before", async () => {
    const rig = await proven(["a"]);
    await rig.edit({ providers: { first: { model: "unknown" } } });
    await rig.post("a", "1");
    await rig.untilAllEnded();
    await rig.crash();
    await rig.boot();
    await rig.post("a", "2");
    await rig.untilAllEnded();
    expect(rig.provider.to(first, { model: "unknown" })).toHaveLength(1);
    expect((await rig.messages("a")).at(-1)).toMatchObject({ model: "one", status: "done" });
  });

  test("what was proven is proven: no canary is needed", async () => {
    const rig = await proven(["a", "b"]);
    await rig.crash();
    await rig.boot();
    await rig.post("a", "1");
    await rig.post("b", "1");
    await rig.clock.advance(500);
    expect(rig.provider.running()).toHaveLength(2);
  });
});

test("a session unloaded and loaded again while its key is held goes on under the old one", async () => {
  const rig = await proven(["a"], { sessions: { idleUnloadMs: 1000 } });
  await rig.edit(wrongKey);
  await rig.post("a", "1");
  await rig.untilAllEnded();
  await rig.until("it is unloaded", () => rig.registry.size === 0);
  await rig.post("a", "2");
  await rig.untilAllEnded();
  expect(rig.provider.to(first, { key: "wrong" })).toHaveLength(1);
  expect((await rig.messages("a")).at(-1)?.status).toBe("done");
});
