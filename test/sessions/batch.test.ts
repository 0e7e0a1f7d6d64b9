import { afterEach, expect, test } from "bun:test";
import type { MessageRecord } from "../../src/store/message.ts";
import { Rig, closeRigs } from "./rig.ts";

afterEach(closeRigs);

const batch = { turn: { mode: "batch" } };

/** A daemon whose session "a" has these messages pending and is let go by the answer. */
async function pendingIn(document: Record<string, unknown>, ...contents: string[]): Promise<Rig> {
  const rig = await Rig.start({ ...document, limits: { turnsPerProvider: 1 } });
  await rig.post("holds the slot", "0");
  await rig.until("the slot is taken", () => rig.provider.calls.length === 1);
  await rig.post("a", ...contents);
  await rig.until("the session waits", () => rig.session("a").state.kind === "waiting");
  return rig;
}

/** What the provider was asked in the session "a". */
function asked(rig: Rig): string[] {
  return rig.provider.calls.filter(({ session }) => session === "a").map(({ content }) => content);
}

function endsOf(messages: readonly MessageRecord[]) {
  return messages.map(({ status, attempts, reply }) => [status, attempts, reply]);
}

test("what is pending goes to one turn; the last has the reply and the usage, the others say which", async () => {
  const rig = await pendingIn(batch, "1", "2", "3");
  await rig.untilAllEnded();
  expect(asked(rig)).toEqual(["1\n\n2\n\n3"]);
  const [one, two, three] = await rig.messages("a");
  expect(three).toMatchObject({
    status: "done",
    reply: "one: 1\n\n2\n\n3",
    usage: { inputTokens: 10, outputTokens: 5 },
    repliedBy: null,
  });
  for (const other of [one, two])
    expect(other).toMatchObject({ status: "done", reply: null, usage: null, repliedBy: three?.id ?? "" });
  expect(await rig.store.sessions.get("a")).toMatchObject({ turns: 1, pending: 0 });
});

test("all of a batch run and end together", async () => {
  const rig = await pendingIn(batch, "1", "2");
  await rig.until("the batch runs", () => asked(rig).length === 1);
  expect((await rig.messages("a")).map(({ status }) => status)).toEqual(["running", "running"]);
  expect(rig.session("a").inFlight).toBe(2);
  await rig.untilAllEnded();
  const ends = (await rig.messages("a")).map(({ finishedAt }) => finishedAt);
  expect(new Set(ends).size).toBe(1);
});

test("a batch is at most as long as allowed; 0 is all", async () => {
  const rig = await pendingIn({ turn: { mode: "batch", batchMax: 2 } }, "1", "2", "3");
  await rig.untilAllEnded();
  expect(asked(rig)).toEqual(["1\n\n2", "3"]);
  const contents = Array.from({ length: 300 }, (_, index) => `${index}`);
  const all = await pendingIn({ turn: { mode: "batch", batchMax: 0 } }, ...contents);
  await all.untilAllEnded();
  expect(asked(all)).toEqual([contents.join("\n\n")]);
});

test("the next turn knows a batch as one exchange", async () => {
  const rig = await pendingIn(batch, "1", "2");
  await rig.untilAllEnded();
  await rig.post("a", "3");
  await rig.untilAllEnded();
  expect(rig.provider.calls.at(-1)?.turns).toEqual([
    { role: "user", content: "1\n\n2" },
    { role: "assistant", content: "one: 1\n\n2" },
  ]);
});

test("a session may be in batch mode by itself", async () => {
  const rig = await Rig.start({ limits: { turnsPerProvider: 1 } });
  await rig.create("a", { mode: "batch" });
  await rig.post("b", "0");
  await rig.until("the slot is taken", () => rig.provider.calls.length === 1);
  await rig.post("a", "1", "2");
  await rig.post("c", "1", "2");
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ content }) => content).sort()).toEqual(["0", "1", "1\n\n2", "2"]);
});

test.each(["context_overflow", "invalid_request"] as const)(
  "a batch that ends in %s does not count: its messages run one by one, and only the poisonous one fails",
  async (kind) => {
    const rig = await pendingIn(batch, "1", "poison", "3");
    rig.provider.answer = ({ content }) => (content.includes("poison") ? { refusal: { kind } } : {});
    await rig.untilAllEnded();
    const alone = kind === "context_overflow" ? ["poison", "poison"] : ["poison"];
    expect(asked(rig)).toEqual(["1\n\npoison\n\n3", "1", ...alone, "3"]);
    expect(endsOf(await rig.messages("a"))).toEqual([
      ["done", 1, "one: 1"],
      ["failed", 1, null],
      ["done", 1, "one: 3"],
    ]);
  },
);

test("a batch with an empty reply runs one by one, and what is empty alone is tried again", async () => {
  const rig = await pendingIn({ turn: { mode: "batch", maxAttempts: 2, retryMs: 100 } }, "1", "empty");
  rig.provider.answer = ({ content }) => (content.includes("empty") ? { reply: "" } : {});
  await rig.untilAllEnded();
  expect(asked(rig)).toEqual(["1\n\nempty", "1", "empty", "empty"]);
  expect(endsOf(await rig.messages("a"))).toEqual([
    ["done", 1, "one: 1"],
    ["failed", 2, null],
  ]);
});

test("a batch one of whose messages is cancelled is aborted, and the rest run one by one, uncounted", async () => {
  const rig = await pendingIn(batch, "1", "2", "3");
  await rig.until("the batch runs", () => asked(rig).length === 1);
  const [, cancelled] = await rig.messages("a");
  await rig.registry.cancel(cancelled?.id ?? "");
  await rig.untilAllEnded();
  expect(asked(rig)).toEqual(["1\n\n2\n\n3", "1", "3"]);
  expect(endsOf(await rig.messages("a"))).toEqual([
    ["done", 1, "one: 1"],
    ["cancelled", 1, null],
    ["done", 1, "one: 3"],
  ]);
});

test("a batch one of whose messages is cancelled in the moment it ends stores nothing of it", async () => {
  const rig = await pendingIn(batch, "1", "2");
  let cancelling: Promise<unknown> | undefined;
  const [, last] = await rig.messages("a");
  rig.before = (operation) => {
    if (operation !== "messages.finish" || rig.provider.calls.at(-1)?.session !== "a") return undefined;
    // The cancel is stored first.
    return (cancelling ??= rig.registry.cancel(last?.id ?? "")).then(() => {});
  };
  await rig.untilAllEnded();
  expect(endsOf(await rig.messages("a"))).toEqual([
    ["done", 1, "one: 1"],
    ["cancelled", 1, null],
  ]);
  expect(asked(rig)).toEqual(["1\n\n2", "1"]);
});

test("messages posted after a batch was taken apart go together again", async () => {
  const rig = await pendingIn(batch, "poison", "2");
  rig.provider.answer = ({ content }) =>
    content.includes("poison") ? { refusal: { kind: "invalid_request" } } : { afterMs: 5000 };
  await rig.until("the rest runs", () => asked(rig).at(-1) === "2");
  await rig.post("a", "3", "4");
  await rig.untilAllEnded();
  expect(asked(rig)).toEqual(["poison\n\n2", "poison", "2", "3\n\n4"]);
});

test("an overloaded provider gets the same batch again, and new messages with it", async () => {
  const rig = await pendingIn({ turn: { mode: "batch", retryMs: 10_000 } }, "1", "2");
  let isOverloaded = true;
  rig.provider.answer = () => (isOverloaded ? { refusal: { kind: "overloaded" } } : {});
  await rig.until("the session waits for its retry", () => rig.told("message.requeued").length === 2);
  isOverloaded = false;
  await rig.post("a", "3");
  await rig.untilAllEnded();
  expect(asked(rig)).toEqual(["1\n\n2", "1\n\n2\n\n3"]);
  expect((await rig.messages("a")).map(({ attempts }) => attempts)).toEqual([2, 2, 1]);
});

test("a batch in flight at a crash is pending again, whole and in order", async () => {
  const rig = await pendingIn(batch, "1", "2", "3");
  await rig.until("the batch runs", () => asked(rig).length === 1);
  await rig.crash();
  await rig.boot();
  await rig.untilAllEnded();
  expect(asked(rig).at(-1)).toBe("1\n\n2\n\n3");
  expect((await rig.messages("a")).map(({ status, attempts }) => [status, attempts])).toEqual([
    ["done", 1],
    ["done", 1],
    ["done", 1],
  ]);
});
