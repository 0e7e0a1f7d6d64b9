import { afterEach, expect, test } from "bun:test";
import { SegueError } from "../../src/core/errors.ts";
import { closeRigs, Rig } from "./rig.ts";

afterEach(closeRigs);

/** The types of the events of the commit that accepted a message. */
function acceptingCommit(rig: Rig): string[] {
  const commit = rig.commits.find((events) => events.some(({ type }) => type === "message.accepted"));
  return (commit ?? []).map(({ type }) => type);
}

test("a message for an idle session is claimed in the commit that accepts it", async () => {
  const rig = await Rig.start();
  await rig.createMany(["a"]);
  await rig.post("a", "x");
  await rig.untilAllEnded();
  expect(acceptingCommit(rig)).toEqual(["message.accepted", "session.busy", "message.started"]);
});

test("one for a session that would have to wait is accepted, and waits", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 1 }, reload: { guard: "off" } });
  await rig.create("a");
  await rig.create("b");
  await rig.post("a", "x");
  await rig.until("a is busy", () => rig.session("a").state.kind === "busy");
  rig.commits.splice(0);
  await rig.post("b", "y");
  expect(acceptingCommit(rig)).toEqual(["message.accepted"]);
  await rig.until("b waits", () => rig.session("b").state.kind === "waiting");
  await rig.untilAllEnded();
});

const refused = new Map([
  ["for want of room in the inbox", (rig: Rig) => accept(rig, 0)],
  [
    "because it cannot be stored",
    (rig: Rig) => {
      rig.before = (operation) =>
        operation === "messages.accept" ? Promise.reject(new SegueError("storage", "it fails")) : undefined;
      return accept(rig, 10).catch(() => undefined);
    },
  ],
]);

for (const [why, refuse] of refused)
  test(`a message that is refused ${why} leaves its session as it was`, async () => {
    const rig = await Rig.start();
    await rig.create("a");
    await rig.clock.settle();
    const { state } = rig.session("a");
    rig.commits.splice(0);
    await refuse(rig);
    await rig.clock.settle();
    expect(rig.session("a").state).toEqual(state);
    expect([rig.session("a").isAtWork, rig.core.gate.totalInFlight(), rig.commits]).toEqual([false, 0, []]);
    rig.before = () => undefined;
    await rig.post("a", "x");
    await rig.untilAllEnded();
  });

function accept(rig: Rig, maxPending: number): Promise<unknown> {
  const message = { id: "refused", content: "x", retryOf: null };
  return rig.registry.accept({ session: "a", messages: [message], maxPending, idempotency: null });
}
