import { expect, test } from "bun:test";
import type { MessageAnswer } from "../../src/cli/answers.ts";
import { findFaults, stretchesOf, type Evidence } from "../../src/cli/tour-account.ts";

/** Message `seq` of session "a", answered within second `seq` of the minute under revision 1 (from the third on, 2). */
function answered(seq: number): MessageAnswer {
  const second = String(seq).padStart(2, "0");
  return {
    id: `m${seq}`,
    session: "a",
    seq,
    content: `text ${seq}`,
    status: "done",
    attempts: 1,
    reply: `text ${seq}`,
    repliedBy: null,
    error: null,
    provider: seq < 3 ? "first" : "second",
    model: "echo",
    revision: seq < 3 ? 1 : 2,
    usage: null,
    startedAt: `2026-01-01T00:00:${second}.000Z`,
    finishedAt: `2026-01-01T00:00:${second}.500Z`,
  };
}

function setup(change: { [seq: number]: Partial<MessageAnswer> } = {}): Evidence {
  const seqs = [1, 2, 3, 4];
  return {
    posted: seqs.map((seq) => ({ id: `m${seq}`, session: "a", content: `text ${seq}` })),
    found: seqs.map((seq) => ({ ...answered(seq), ...change[seq] })),
    endings: seqs.map((seq) => `m${seq}`),
    staleStarts: [],
    putBackByEdits: 0,
  };
}

test("the tour finds no fault where every message was answered once, in order, under the settings in force", () => {
  expect(findFaults(setup())).toEqual([]);
});

test("the tour notices a message that is gone, one that ended twice, and one that nobody posted", () => {
  const { found, endings, ...evidence } = setup();
  expect(findFaults({ ...evidence, found: found.slice(1), endings })).toEqual([
    "m1 was accepted and is gone.",
  ]);
  expect(findFaults({ ...evidence, found, endings: [...endings, "m2"] })).toEqual([
    "m2 was not told to have ended exactly once.",
  ]);
  expect(findFaults({ ...evidence, posted: evidence.posted.slice(0, 3), found, endings })).toContain(
    "m4 was never posted.",
  );
});

test.each([
  ["a message that failed", { 2: { status: "failed" as const } }, "Message 2 of a is failed."],
  ["a wrong reply", { 2: { reply: "something else" } }, "Message 2 of a was not echoed as it was sent."],
  [
    "a turn that began before the one before it ended",
    { 2: { startedAt: "2026-01-01T00:00:01.200Z" } },
    "Message 2 of a is out of order.",
  ],
])("the tour notices %s", (_what, change, fault) => {
  expect(findFaults(setup(change))).toEqual([fault]);
});

test("the tour notices turns that an edit interrupted, and those under settings already replaced", () => {
  expect(findFaults({ ...setup(), staleStarts: ["m3"] })).toEqual([
    "m3 began under settings already replaced.",
  ]);
  expect(findFaults({ ...setup(), putBackByEdits: 2 })).toEqual(["2 turns were interrupted by an edit."]);
});

test("who answered what is told in stretches of one provider", () => {
  expect(stretchesOf(setup({ 4: { provider: "first", revision: 3 } }).found, "a")).toEqual([
    "first 1-2",
    "second 3",
    "first 4",
  ]);
});
