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
