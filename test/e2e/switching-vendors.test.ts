import { expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../support/aimock.ts";
import { eventually } from "../support/eventually.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import type { MessageAnswer } from "./answers.ts";
import {
  callsByDigest,
  dealtMessages,
  expectAnswered,
  expectedCalls,
  messagesOf,
  sessions,
} from "./conversations.ts";
import { EventTape, textIn } from "./event-tape.ts";
import { Poster } from "./poster.ts";
import { saveSettings, type Saving } from "./settings-file.ts";
import { Vendors, type Asked, type VendorCall, vendorNames } from "./vendors.ts";

setDefaultTimeout(120_000);

/** An edit of settings.json; `held`: while every session has a call that its server has heard and keeps. */
interface Edit {
  to: Asked;
  saving: Saving;
  calls: "held" | "flowing";
}

/** What became of an edit. */
interface AppliedEdit extends Edit {
  revision: number;
  /** Before the first byte was written. */
  savedAt: number;
  /** When the client saw that it is in force. */
  inForceAt: number;
  /** Id of `settings.changed`. */
  changedId: number;
  /** Messages in flight when the client saw it. */
  inFlight: number;
  done: number;
}

const first: Asked = { vendor: "claude", model: "claude-one" };
const edits: readonly Edit[] = [
  { to: { vendor: "openai", model: "openai-one" }, saving: "replaced by a rename", calls: "held" },
  { to: { vendor: "claude", model: "claude-one" }, saving: "written in place", calls: "held" },
  { to: { vendor: "openai", model: "openai-one" }, saving: "written in place", calls: "flowing" },
  { to: { vendor: "gemini", model: "gemini-one" }, saving: "replaced by a rename", calls: "flowing" },
  { to: { vendor: "gemini", model: "gemini-two" }, saving: "written in place", calls: "held" },
  { to: { vendor: "openai", model: "openai-two" }, saving: "replaced by a rename", calls: "flowing" },
  { to: { vendor: "claude", model: "claude-two" }, saving: "replaced by a rename", calls: "held" },
];

test("six hundred messages in three sessions pass over from vendor to vendor with every edit, none lost, none twice, none under settings that were no longer in force", async () => {
  const vendors = await Vendors.start({ firstTokenMs: 12, tokensPerSecond: 200 });
  const segue = await startSegue({ settings: vendors.settings(first) });
  const tape = new EventTape();
  await tape.follow(segue);
  for (const id of sessions) await segue.post("/api/sessions", { id });
  await tape.until("the sessions are made", () => tape.all("session.created").length === sessions.length);

  const dealt = dealtMessages();
  const posting = sessions.map((session) => new Poster(session, async () => segue));
  const posted = Promise.all(posting.map((poster, at) => poster.post(dealt.get(sessions[at] ?? "") ?? [])));
  const total = [...dealt.values()].flat().length;
  const applied = await makeEdits({ segue, vendors, tape, total });
  await posted;
  await tape.until("all messages are done", () => tape.all("message.done").length >= total);

  const stored = new Map<string, MessageAnswer[]>();
  for (const session of sessions) stored.set(session, await messagesOf(segue, session));
  const calls = await vendors.calls();
  const journals = await vendors.journals();
  await tape.stop();
  expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
  await vendors.stop();

  expect(total).toBeGreaterThanOrEqual(600);
  expectStoredOnce(stored, dealt, calls, tape);
  expectOneCallEach(stored, calls);
  expectUninterrupted(journals, calls);
  expectStreamed(stored, tape);
  const idOf = new Map([...stored.values()].flat().map(({ id, content }) => [digestOf(content), id]));
  for (const [at, edit] of applied.entries()) expectFresh(edit, applied[at + 1], calls, tape, idOf);
  tell(total, calls, applied);
});

/** Makes each edit when its part of the messages is done, and waits until it is in force. */
async function makeEdits(parts: {
  segue: Segue;
  vendors: Vendors;
  tape: EventTape;
  total: number;
}): Promise<AppliedEdit[]> {
  const { segue, vendors, tape, total } = parts;
  const applied: AppliedEdit[] = [];
  let from = first;
  let revision = 1;
  for (const [at, edit] of edits.entries()) {
    const enough = Math.floor((total * (at + 1)) / (edits.length + 1));
    await tape.until(`${enough} messages are done`, () => tape.all("message.done").length >= enough);
    const server = vendors.of(from.vendor);
    if (edit.calls === "held") {
      await server.hold();
      await eventually("a held call of each session", async () => (await server.held()) === sessions.length);
    }
    const savedAt = Date.now();
    saveSettings(segue.settingsPath, vendors.settings(edit.to), edit.saving);
    revision += 1;
    const changed = await tape.until(`revision ${revision} is in force`, () =>
      tape.all("settings.changed").find((event) => event.data["revision"] === revision),
    );
    const inFlight = inFlightOf(tape);
    if (edit.calls === "held") await server.release();
    const changedId = changed.id ?? Number.NaN;
    const done = tape.all("message.done").length;
    applied.push({ ...edit, revision, savedAt, inForceAt: changed.receivedAt, changedId, inFlight, done });
    from = edit.to;
  }
  return applied;
}

function inFlightOf(tape: EventTape): number {
  return tape.all("message.started").length - tape.all("message.done").length;
}

/** Every message is stored as posted, in its place, done once, and answered by who was asked. */
function expectStoredOnce(
  stored: Map<string, MessageAnswer[]>,
  dealt: Map<string, string[]>,
  calls: readonly VendorCall[],
  tape: EventTape,
): void {
  const heard = callsByDigest(calls);
  for (const session of sessions)
    expectAnswered(stored.get(session) ?? [], dealt.get(session) ?? [], (digest) => heard.get(digest) ?? []);
  for (const [session, messages] of stored) {
    const ends = tape.all("message.done").filter((event) => event.data["session"] === session);
    expect(ends.map((event) => event.data["message"])).toEqual(messages.map(({ id }) => id));
    expect(messages.filter(({ attempts }) => attempts !== 1)).toEqual([]);
  }
  const wrong = ["message.requeued", "message.failed", "message.cancelled", "session.recovered"];
  expect(tape.events.filter(({ type }) => wrong.includes(type) || type === "settings.rejected")).toEqual([]);
}

/** From the servers' own records: one call a message, in order, each with all that was said before, whoever said it. */
function expectOneCallEach(stored: Map<string, MessageAnswer[]>, calls: readonly VendorCall[]): void {
  const expected = [...stored.values()].flatMap(expectedCalls);
  const heard = callsByDigest(calls);
  const wrong = expected.filter(({ digest, turns, context }) => {
    const [call, ...more] = heard.get(digest) ?? [];
    return !call || more.length > 0 || call.turns !== turns || call.context !== context;
  });
  expect(wrong).toEqual([]);
  expect(calls.length).toBe(expected.length);
  const placeOf = new Map(expected.map((call) => [call.digest, call]));
  for (const session of sessions) {
    const places = calls.map(({ digest }) => placeOf.get(digest)).filter((call) => call?.session === session);
    expect(places.map((call) => call?.seq)).toEqual(places.map((_, at) => at + 1));
  }
}

/** The journals that the servers keep by themselves hold the same calls, all answered to their end. */
function expectUninterrupted(
  journals: Awaited<ReturnType<Vendors["journals"]>>,
  calls: readonly VendorCall[],
): void {
  for (const vendor of vendorNames) {
    const entries = journals[vendor];
    expect(entries.length).toBe(calls.filter((call) => call.vendor === vendor).length);
    const wrong = entries.filter(({ response }) => response.status !== 200 || response.interrupted === true);
    expect(wrong).toEqual([]);
  }
}

/** What a reader of the stream heard of a reply is the reply, between its start and its end, one turn at a time. */
function expectStreamed(stored: Map<string, MessageAnswer[]>, tape: EventTape): void {
  const texts = new Map<string, string>();
  const open = new Map<string, string>();
  for (const event of tape.events) {
    if (!/^message\.(started|delta|done)$/.test(event.type)) continue;
    const session = textIn(event, "session");
    const message = textIn(event, "message");
    if (event.type === "message.started") {
      expect(open.get(session)).toBeUndefined();
      open.set(session, message);
      continue;
    }
    expect(open.get(session)).toBe(message);
    if (event.type === "message.done") open.delete(session);
    else texts.set(message, (texts.get(message) ?? "") + textIn(event, "text"));
  }
  const wrong = [...stored.values()].flat().filter(({ id, reply }) => texts.get(id) !== reply);
  expect(wrong).toEqual([]);
}

/**
 * From the moment the client saw that an edit is in force until the next one is saved, the servers hear calls under
 * it alone. Where the calls were held, each session had one that its server had heard before: nothing is excepted.
 * Else a call may still be on its way whose turn had started before.
 */
function expectFresh(
  edit: AppliedEdit,
  next: AppliedEdit | undefined,
  calls: readonly VendorCall[],
  tape: EventTape,
  idOf: ReadonlyMap<string, string>,
): void {
  const since = calls.filter(
    ({ at }) => at >= edit.inForceAt && at < (next?.savedAt ?? Number.POSITIVE_INFINITY),
  );
  const old = since.filter(({ vendor, model }) => vendor !== edit.to.vendor || model !== edit.to.model);
  expect(since.length - old.length).toBeGreaterThan(sessions.length);
  if (edit.calls === "held") {
    expect(old).toEqual([]);
    expect(edit.inFlight).toBe(sessions.length);
    return;
  }
  expect(old.length).toBeLessThanOrEqual(sessions.length);
  const startedBefore = new Set(
    tape
      .all("message.started")
      .filter(({ id }) => (id ?? Number.NaN) < edit.changedId)
      .map((event) => event.data["message"]),
  );
  expect(old.filter(({ digest }) => !startedBefore.has(idOf.get(digest)))).toEqual([]);
}

function tell(total: number, calls: readonly VendorCall[], applied: readonly AppliedEdit[]): void {
  const counts = vendorNames.map((name) => `${name} ${calls.filter(({ vendor }) => vendor === name).length}`);
  console.log(`${total} messages, ${calls.length} calls (${counts.join(", ")}), ${applied.length} edits:`);
  for (const { revision, to, saving, calls: manner, inFlight, done, savedAt, inForceAt } of applied)
    console.log(
      `  revision ${revision} to ${to.model}, ${saving}, calls ${manner}: in force after ${inForceAt - savedAt} ms, ${inFlight} in flight, ${done} done`,
    );
}
