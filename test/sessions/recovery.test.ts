import { afterEach, expect, test } from "bun:test";
import { SegueError } from "../../src/core/errors.ts";
import { Rig, closeRigs, first, second } from "./rig.ts";

afterEach(closeRigs);

const bug = new Error("a bug");

test("a generator that dies of a bug gives its message back and is started again, each time later", async () => {
  const rig = await Rig.start();
  let deaths = 3;
  rig.provider.onCreate = async () => {
    if (deaths-- > 0) throw bug;
  };
  const postedAt = rig.clock.now();
  await rig.post("a", "1", "2");
  await rig.clock.settle();
  const before = rig.session("a").generatorId;
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ content, startedAt }) => [content, startedAt - postedAt])).toEqual([
    ["1", 1000 + 2000 + 4000],
    ["2", 8000],
  ]);
  expect((await rig.messages("a")).map(({ status, attempts }) => [status, attempts])).toEqual([
    ["done", 1],
    ["done", 1],
  ]);
  expect(rig.session("a").generatorId).not.toBe(before);
  const told = { session: "a", cause: "a bug" };
  expect(rig.told("session.recovered")).toEqual([told, told, told]);
  expect(rig.faults.splice(0)).toEqual([bug, bug, bug]);
});

test("a generator that dies keeps no slot and no canary from the others", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 1 } });
  let deaths = 1;
  rig.provider.onCreate = async () => {
    if (deaths-- > 0) throw bug;
  };
  await rig.post("a", "1");
  await rig.post("b", "1");
  await rig.until("the other one runs", () => rig.provider.calls.length === 1);
  expect(rig.provider.calls[0]?.session).toBe("b");
  await rig.untilAllEnded();
  expect(rig.faults.splice(0)).toEqual([bug]);
});

test("a message in flight when its generator dies is pending while it pauses, and uncounted", async () => {
  const rig = await Rig.start();
  const [id = ""] = await rig.post("a", "1");
  let reads = 0;
  rig.before = (operation) =>
    operation === "messages.context" && reads++ === 0 ? Promise.reject(bug) : undefined;
  await rig.until("the generator has died", () => rig.faults.length === 1);
  await rig.clock.settle();
  expect(await rig.store.messages.get(id)).toMatchObject({ status: "pending", attempts: 0 });
  expect(rig.session("a").state.kind).toBe("restarting");
  await rig.untilAllEnded();
  expect(await rig.store.messages.get(id)).toMatchObject({ status: "done", attempts: 1 });
  expect(rig.told("message.requeued")).toMatchObject([{ message: id, reason: "restart" }]);
  expect(rig.faults.splice(0)).toEqual([bug]);
});

test("an edit cuts the pause after a fault short: the session goes on under the new binding", async () => {
  const rig = await Rig.start();
  rig.provider.onCreate = async ({ endpoint }) => {
    if (endpoint === first) throw bug;
  };
  await rig.post("a", "1");
  await rig.until("the generator has died five times", () => rig.faults.length === 5);
  const editedAt = rig.clock.now();
  await rig.edit({ provider: "second" });
  await rig.clock.settle();
  expect(rig.provider.calls).toMatchObject([{ startedAt: editedAt, config: { endpoint: second } }]);
  await rig.untilAllEnded();
  expect(rig.registry.rollout?.state).toBe("finished");
  expect(new Set(rig.faults.splice(0))).toEqual(new Set([bug]));
});

test("a drain does not wait for a session that pauses after a fault", async () => {
  const rig = await Rig.start();
  rig.provider.onCreate = () => Promise.reject(bug);
  await rig.post("a", "1");
  await rig.until("the pause is long", () => rig.faults.length === 7);
  const stoppedAt = rig.clock.now();
  await rig.stop(5000);
  expect(rig.clock.now()).toBe(stoppedAt);
  expect(new Set(rig.faults.splice(0))).toEqual(new Set([bug]));
});

test("a reply that cannot be stored is kept, and stored once when there is room", async () => {
  const rig = await Rig.start();
  await rig.post("a", "1", "2");
  await rig.until("the turn runs", () => rig.provider.calls.length === 1);
  let isFull = true;
  const writes: string[] = [];
  rig.before = (operation) => {
    if (!isFull || operation === "messages.head" || operation === "messages.context") return undefined;
    writes.push(operation);
    return Promise.reject(new SegueError("storage_full", "there is no room"));
  };
  await rig.clock.advance(60_000);
  expect(rig.provider.calls).toHaveLength(1);
  expect(writes.filter((operation) => operation === "messages.finish").length).toBeGreaterThan(10);
  isFull = false;
  await rig.untilAllEnded();
  expect((await rig.messages("a")).map(({ reply, attempts }) => [reply, attempts])).toEqual([
    ["one: 1", 1],
    ["one: 2", 1],
  ]);
  expect(rig.provider.calls).toHaveLength(2);
  expect(rig.told("message.done")).toHaveLength(2);
  expect(rig.faults.splice(0).length).toBeGreaterThan(0);
});

test("on a full disk no turn starts, and when there is room they do by themselves", async () => {
  const rig = await Rig.start();
  let isFull = true;
  rig.before = (operation) =>
    isFull && operation === "messages.claim"
      ? Promise.reject(new SegueError("storage_full", "there is no room"))
      : undefined;
  await rig.post("a", "1");
  await rig.clock.advance(30_000);
  expect(rig.provider.calls).toEqual([]);
  isFull = false;
  await rig.untilAllEnded();
  expect(rig.provider.calls).toHaveLength(1);
});

test("a restart that could not be stored stays due and is done when there is room", async () => {
  const rig = await Rig.start({ turn: { retryMs: 60_000 } });
  rig.provider.answer = ({ config }) =>
    config.endpoint === first ? { refusal: { kind: "overloaded" } } : {};
  await rig.post("a", "1");
  await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
  let isFull = true;
  rig.before = (operation) =>
    isFull && operation === "messages.resetAttempts"
      ? Promise.reject(new SegueError("storage_full", "there is no room"))
      : undefined;
  await rig.edit({ provider: "second" });
  await rig.clock.advance(5000);
  expect(rig.session("a").pendingRestart?.reason).toBe("provider_changed");
  expect(rig.provider.to(second)).toEqual([]);
  isFull = false;
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "done", attempts: 1, provider: "second" });
  expect(rig.registry.rollout?.state).toBe("finished");
  expect(rig.told("session.restarted")).toHaveLength(1);
  expect(rig.faults.splice(0).length).toBeGreaterThan(0);
});
