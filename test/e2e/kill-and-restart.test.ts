import { expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../support/aimock.ts";
import type { MessageAnswer } from "./answers.ts";
import { callsByDigest, expectAnswered, expectedCalls, messagesOf, sessions } from "./conversations.ts";
import { InterruptedRun, type Kill } from "./interrupted-run.ts";
import { readStoredMessages } from "./stored-messages.ts";
import type { Asked, VendorCall } from "./vendors.ts";

setDefaultTimeout(120_000);

const seed = 20_260_101;
const first: Asked = { vendor: "claude", model: "claude-one" };
/** What each kill brings. */
const edits: readonly Asked[] = [
  { vendor: "openai", model: "openai-one" },
  { vendor: "gemini", model: "gemini-one" },
  { vendor: "claude", model: "claude-two" },
  { vendor: "openai", model: "openai-two" },
  { vendor: "gemini", model: "gemini-two" },
  { vendor: "claude", model: "claude-three" },
];

test("kill -9 in the middle of six hundred messages and three vendors loses none and stores no reply twice", async () => {
  const run = await InterruptedRun.start(first);
  const posted = run.post();
  const kills: Kill[] = [];
  for (const [at, place] of killPlaces(run.total).entries())
    kills.push(await run.killAt(place, edits[at] ?? first, at % 2 === 0 ? "before" : "after"));
  await posted;
  await run.untilDone(run.total);
  const stored: MessageAnswer[] = [];
  for (const session of sessions) stored.push(...(await messagesOf(run.segue, session)));
  const calls = await run.vendors.calls();
  expect(await run.stop()).toEqual({ exitCode: 0, signal: null });

  tell(run, kills, calls);
  expectOneOutcomeEach(run, stored, calls);
  expectKept(run, kills);
  expectRepeatedOnlyAfterCrash(run, stored, calls);
  for (const [at, kill] of kills.entries()) expectFresh(run, kill, kills[at + 1], stored, calls);
});

/** Where to kill: numbers of messages done, by the seed; at the last one there is still something to post. */
function killPlaces(total: number): number[] {
  let state = seed;
  const share = Math.floor((total * 0.8) / edits.length);
  return edits.map((_, at) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return share * at + 20 + (state % (share - 20));
  });
}

/** What was answered 2xx is stored under its number, as posted, done, told to be done once, and nothing else is. */
function expectOneOutcomeEach(
  run: InterruptedRun,
  stored: readonly MessageAnswer[],
  calls: readonly VendorCall[],
): void {
  expect(run.total).toBeGreaterThanOrEqual(600);
  const heard = callsByDigest(calls);
  for (const [at, session] of sessions.entries()) {
    const messages = stored.filter((message) => message.session === session);
    expectAnswered(messages, run.dealt.get(session) ?? [], (digest) => heard.get(digest) ?? []);
    const ids = messages.map(({ id }) => id);
    expect(run.posters[at]?.accepted.map(({ id }) => id)).toEqual(ids);
    const ends = run.tape.all("message.done").filter((event) => event.data["session"] === session);
    expect(ends.map((event) => event.data["message"])).toEqual(ids);
  }
  const wrong = [
    "message.failed",
    "message.cancelled",
    "session.recovered",
    "settings.rejected",
    "events.gap",
  ];
  expect(run.tape.events.filter(({ type }) => wrong.includes(type))).toEqual([]);
  const told = run.tape.events.flatMap(({ id }) => (id === undefined ? [] : [id]));
  expect(told).toEqual([...new Set(told)].sort((one, other) => one - other));
}

/** At every kill, and after the stop, the store is whole and holds what had been answered 2xx. */
function expectKept(run: InterruptedRun, kills: readonly Kill[]): void {
  for (const { stored, accepted } of kills) {
    expect(stored.integrity).toBe("ok");
    expect(accepted.filter((id) => !stored.statuses.has(id))).toEqual([]);
  }
  const { integrity, statuses } = readStoredMessages(run.segue.dataDir);
  expect({ integrity, size: statuses.size }).toEqual({ integrity: "ok", size: run.total });
  expect([...new Set(statuses.values())]).toEqual(["done"]);
}

/** A provider hears a message again only where a kill had cut its turn, and each time with all that was said before. */
function expectRepeatedOnlyAfterCrash(
  run: InterruptedRun,
  stored: readonly MessageAnswer[],
  calls: readonly VendorCall[],
): void {
  const requeued = run.tape.all("message.requeued");
  expect(requeued.filter((event) => event.data["reason"] !== "crash")).toEqual([]);
  expect(requeued.length).toBeGreaterThan(0);
  const cuts = Map.groupBy(requeued, (event) => event.data["message"]);
  const heard = callsByDigest(calls);
  const idOf = idByDigest(stored);
  for (const session of sessions)
    for (const expected of expectedCalls(stored.filter((message) => message.session === session))) {
      const { digest, turns, context } = expected;
      const of = heard.get(digest) ?? [];
      expect(of.length).toBeGreaterThanOrEqual(1);
      expect(of.length).toBeLessThanOrEqual(1 + (cuts.get(idOf.get(digest))?.length ?? 0));
      expect(of.filter((call) => call.turns !== turns || call.context !== context)).toEqual([]);
    }
  expect([...heard.keys()].filter((digest) => !idOf.has(digest))).toEqual([]);
}

/** Once an edit was in force no turn started under another, until the next one was made. */
function expectFresh(
  run: InterruptedRun,
  kill: Kill,
  next: Kill | undefined,
  stored: readonly MessageAnswer[],
  calls: readonly VendorCall[],
): void {
  const idOf = idByDigest(stored);
  const startedBefore = new Set(
    run.tape
      .all("message.started")
      .filter(({ id }) => (id ?? Number.NaN) < kill.changedId)
      .map((event) => event.data["message"]),
  );
  const until = next?.savedAt ?? Number.POSITIVE_INFINITY;
  const since = calls.filter(({ at }) => at >= kill.inForceAt && at < until);
  const old = since.filter(({ vendor, model }) => vendor !== kill.edit.vendor || model !== kill.edit.model);
  expect(since.length).toBeGreaterThan(old.length);
  const late = old.filter(({ digest }) => kill.edited === "before" || !startedBefore.has(idOf.get(digest)));
  expect(late).toEqual([]);
}

function idByDigest(stored: readonly MessageAnswer[]): Map<string, string> {
  return new Map(stored.map(({ id, content }) => [digestOf(content), id]));
}

function tell(run: InterruptedRun, kills: readonly Kill[], calls: readonly VendorCall[]): void {
  const cut = run.tape.all("message.requeued").length;
  const repeats = run.posters.reduce((sum, poster) => sum + poster.repeats, 0);
  console.log(
    `${run.total} messages, ${calls.length} calls, ${kills.length} kills (seed ${seed}), ${cut} turns cut, ${repeats} posts sent again:`,
  );
  for (const { done, inFlight, accepted, edited, edit } of kills)
    console.log(
      `  with ${done} done, ${inFlight} in flight, ${accepted.length} accepted; edited to ${edit.model} ${edited} it`,
    );
}
