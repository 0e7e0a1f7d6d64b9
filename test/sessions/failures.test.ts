import { afterEach, describe, expect, test } from "bun:test";
import { Rig, closeRigs, first } from "./rig.ts";

afterEach(closeRigs);

describe("an overloaded provider", () => {
  test("is asked again, later each time, until the attempts are used up", async () => {
    const rig = await Rig.start({ turn: { maxAttempts: 3, retryMs: 1000 } });
    rig.provider.latencyMs = 0;
    rig.provider.answer = ({ content }) =>
      content === "1" ? { refusal: { kind: "overloaded", status: 500 } } : {};
    const postedAt = rig.clock.now();
    await rig.post("a", "1", "2");
    await rig.untilAllEnded();
    expect(rig.provider.calls.map(({ content, startedAt }) => [content, startedAt - postedAt])).toEqual([
      ["1", 0],
      ["1", 1000],
      ["1", 5000],
      ["2", 5000],
    ]);
    expect(await rig.messages("a")).toMatchObject([
      { status: "failed", attempts: 3, error: { kind: "overloaded", status: 500 }, reply: null },
      { status: "done", attempts: 1 },
    ]);
    expect(rig.told("message.started").map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1]);
  });

  test("keeps a message pending between attempts, with its last error and its time", async () => {
    const rig = await Rig.start({ turn: { retryMs: 1000 } });
    rig.provider.answer = () => ({ refusal: { kind: "overloaded" } });
    await rig.post("a", "1");
    await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
    const retryAt = rig.clock.now() + 1000;
    expect(rig.session("a").state).toMatchObject({ for: "retry", until: retryAt });
    expect((await rig.messages("a"))[0]).toMatchObject({
      status: "pending",
      attempts: 1,
      retryAt,
      error: { kind: "overloaded" },
    });
    expect(rig.told("message.requeued")).toMatchObject([
      { reason: "retry", error: { kind: "overloaded" }, retryAt: new Date(retryAt).toISOString() },
    ]);
  });

  test("does not lose its failing message's attempts over a crash", async () => {
    const rig = await Rig.start({ turn: { maxAttempts: 3, retryMs: 10_000 } });
    rig.provider.answer = () => ({ refusal: { kind: "overloaded" } });
    await rig.post("a", "1");
    await rig.until("two attempts were made", () => rig.told("message.requeued").length === 2);
    await rig.crash();
    await rig.boot();
    await rig.untilAllEnded();
    expect(rig.provider.calls).toHaveLength(3);
    expect((await rig.messages("a"))[0]).toMatchObject({ status: "failed", attempts: 3 });
  });

  test("that gets more attempts meanwhile, live, is asked so often", async () => {
    const rig = await Rig.start({ turn: { maxAttempts: 2, retryMs: 1000 } });
    rig.provider.answer = () => ({ refusal: { kind: "overloaded" } });
    await rig.post("a", "1");
    await rig.until("the message waits", () => rig.session("a").state.kind === "waiting");
    await rig.edit({ turn: { maxAttempts: 4 } });
    await rig.untilAllEnded();
    expect(rig.provider.calls).toHaveLength(4);
  });
});

test.each([
  ["a stream without its end", { cut: "half of" }, "overloaded"],
  ["an empty reply", { reply: " \n" }, "empty_reply"],
] as const)("%s is a failed attempt, never a reply", async (_what, answer, kind) => {
  const rig = await Rig.start({ turn: { maxAttempts: 2 } });
  rig.provider.answer = ({ content }) => (content === "1" ? answer : {});
  await rig.post("a", "1", "2");
  await rig.untilAllEnded();
  expect(await rig.messages("a")).toMatchObject([
    { status: "failed", attempts: 2, reply: null, error: { kind } },
    { status: "done" },
  ]);
  expect(rig.provider.calls.at(-1)?.turns).toEqual([]);
});

test("a provider that says nothing is left at the limit of silence and asked again", async () => {
  const rig = await Rig.start({ turn: { timeoutMs: 5000, maxAttempts: 2, retryMs: 1000 } });
  rig.provider.answer = () => ({ hangs: true });
  const postedAt = rig.clock.now();
  await rig.post("a", "1");
  await rig.untilAllEnded();
  expect(rig.provider.calls.map(({ startedAt, end }) => [startedAt - postedAt, end])).toEqual([
    [0, "aborted"],
    [6000, "aborted"],
  ]);
  expect((await rig.messages("a"))[0]?.error).toMatchObject({ kind: "overloaded" });
  expect((await rig.messages("a"))[0]?.error?.message).toContain("turn.timeoutMs (5000 ms)");
});

test("a turn that lasts too long is left at its limit, however much arrives", async () => {
  const rig = await Rig.start({ turn: { timeoutMs: 9000, maxDurationMs: 8000, maxAttempts: 1 } });
  rig.provider.answer = () => ({ afterMs: 100_000 });
  await rig.post("a", "1");
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]?.error?.message).toContain("turn.maxDurationMs (8000 ms)");
});

test("an invalid request fails at once, and the next message goes on", async () => {
  const rig = await Rig.start();
  rig.provider.answer = ({ content }) =>
    content === "1" ? { refusal: { kind: "invalid_request", status: 400 } } : {};
  await rig.post("a", "1", "2");
  await rig.untilAllEnded();
  expect((await rig.messages("a")).map(({ status, attempts }) => [status, attempts])).toEqual([
    ["failed", 1],
    ["done", 1],
  ]);
  expect(rig.provider.calls).toHaveLength(2);
});

test("a reply cut at the limit of output is done, and says so", async () => {
  const rig = await Rig.start();
  rig.provider.answer = () => ({ reply: "so far", finish: "length" });
  await rig.post("a", "1");
  await rig.untilAllEnded();
  expect((await rig.messages("a"))[0]).toMatchObject({ status: "done", reply: "so far", finish: "length" });
});

test("usage that no vendor reports is estimated, by bytes", async () => {
  const rig = await Rig.start({ turn: { system: "ab" } });
  rig.provider.answer = () => ({ reply: "ü".repeat(5), usage: null });
  await rig.post("a", "xyz");
  await rig.untilAllEnded();
  await rig.post("a", "z");
  await rig.untilAllEnded();
  expect((await rig.messages("a")).map(({ usage }) => usage)).toEqual([
    { inputTokens: 2, outputTokens: 3, estimated: true },
    { inputTokens: 4, outputTokens: 3, estimated: true },
  ]);
});

describe("a crash while a message is in flight", () => {
  test("is not counted the first time, and is from the second on", async () => {
    const rig = await Rig.start({ turn: { maxAttempts: 3 } });
    const [id = ""] = await rig.post("a", "poison", "next");
    const attempts: (number | undefined)[] = [];
    for (let crash = 0; crash < 4; crash++) {
      await rig.until("it is in flight", () =>
        rig.provider.running().some((call) => call.content === "poison"),
      );
      await rig.crash();
      await rig.boot();
      attempts.push((await rig.store.messages.get(id))?.attempts);
    }
    await rig.untilAllEnded();
    expect(attempts).toEqual([0, 1, 2, 3]);
    expect((await rig.messages("a")).map(({ status, error }) => [status, error?.kind])).toEqual([
      ["failed", "interrupted"],
      ["done", undefined],
    ]);
  });
});

describe("a context that is too long", () => {
  test("is left once for a message, which then has its answer", async () => {
    const rig = await Rig.start();
    rig.provider.answer = ({ turns }) => (turns.length >= 4 ? { refusal: { kind: "context_overflow" } } : {});
    await rig.post("a", "1", "2", "3", "4");
    await rig.untilAllEnded();
    expect(rig.provider.calls.map(({ content, turns, end }) => [content, turns.length, end])).toEqual([
      ["1", 0, "answered"],
      ["2", 2, "answered"],
      ["3", 4, "refused"],
      ["3", 0, "answered"],
      ["4", 2, "answered"],
    ]);
    expect((await rig.messages("a")).map(({ status, attempts }) => [status, attempts])).toEqual(
      Array.from({ length: 4 }, () => ["done", 1]),
    );
    expect(rig.told("session.rolled_over")).toEqual([{ session: "a", epoch: 2 }]);
  });

  test("is not left twice for the same message: it fails, and there is no circle", async () => {
    const rig = await Rig.start();
    rig.provider.answer = ({ content }) =>
      content === "huge" ? { refusal: { kind: "context_overflow" } } : {};
    await rig.post("a", "1", "huge", "2");
    await rig.untilAllEnded();
    expect((await rig.messages("a")).map(({ status }) => status)).toEqual(["done", "failed", "done"]);
    expect(rig.provider.to(first).filter(({ content }) => content === "huge")).toHaveLength(2);
    expect(rig.told("session.rolled_over")).toHaveLength(1);
  });

  test("is left before it comes to that, once more was read than is allowed", async () => {
    const rig = await Rig.start({ turn: { rolloverTokens: 1000, rolloverKeep: 2 } });
    rig.provider.answer = ({ content }) => ({
      usage: { inputTokens: content === "3" ? 1001 : 1000, outputTokens: 1 },
    });
    await rig.post("a", "1", "2", "3", "4");
    await rig.untilAllEnded();
    expect(rig.provider.calls.map(({ turns }) => turns.filter(({ role }) => role === "user").length)).toEqual(
      [0, 1, 2, 2],
    );
    expect(rig.provider.calls[3]?.turns.map(({ content }) => content)).toEqual([
      "2",
      "one: 2",
      "3",
      "one: 3",
    ]);
    expect(rig.told("session.rolled_over")).toEqual([{ session: "a", epoch: 2 }]);
    const record = await rig.store.sessions.get("a");
    expect(record).toMatchObject({ epoch: 2, lastInputTokens: 1000, contextFrom: 2 });
  });

  test("is left once where a crash comes right after, and never again by what was counted before", async () => {
    const rig = await Rig.start({ turn: { rolloverTokens: 1000, rolloverKeep: 0 } });
    rig.provider.answer = ({ content }) => ({
      usage: { inputTokens: content === "1" ? 5000 : 10, outputTokens: 1 },
    });
    await rig.post("a", "1");
    await rig.until("it rolled over", () => rig.told("session.rolled_over").length === 1);
    await rig.crash();
    await rig.boot();
    expect(await rig.store.sessions.get("a")).toMatchObject({
      epoch: 2,
      lastInputTokens: null,
      contextFrom: 2,
    });
    await rig.post("a", "2", "3");
    await rig.untilAllEnded();
    expect(rig.told("session.rolled_over")).toHaveLength(1);
    expect(rig.provider.calls.map(({ turns }) => turns.length)).toEqual([0, 0, 2]);
  });

  test("is never left where the limit is 0", async () => {
    const rig = await Rig.start({ turn: { rolloverTokens: 0 } });
    rig.provider.answer = () => ({ usage: { inputTokens: 1e9, outputTokens: 1 } });
    await rig.post("a", "1", "2");
    await rig.untilAllEnded();
    expect(rig.told("session.rolled_over")).toEqual([]);
    expect(rig.provider.calls[1]?.turns).toHaveLength(2);
  });

  test("that goes along whole and is still too long is left again, one rollover a turn", async () => {
    const rig = await Rig.start({ turn: { rolloverTokens: 1000, rolloverKeep: 5 } });
    rig.provider.answer = () => ({ usage: { inputTokens: 2000, outputTokens: 1 } });
    await rig.post("a", "1", "2", "3");
    await rig.untilAllEnded();
    expect(rig.told("session.rolled_over")).toHaveLength(3);
    expect(rig.provider.calls).toHaveLength(3);
  });
});
