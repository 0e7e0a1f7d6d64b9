import { expect, setDefaultTimeout, test } from "bun:test";
import type { MessageAnswer } from "../e2e/answers.ts";
import { eventually } from "../support/eventually.ts";
import { startSegue, type Segue } from "../support/segue.ts";

setDefaultTimeout(60_000);

const maxAttempts = 3;
/** Kills the daemon that runs it where it is told to; else it takes a while, and answers what it was given. */
const program = `
input=$(cat)
case "$input" in
  *'"content":"kill"'* | *'\\nkill'*) kill -9 $PPID ;;
  *) sleep 0.4; printf '%s' "$input" ;;
esac`;

interface HeardTurn {
  role: string;
  content: string;
}

function settings(mode: "single" | "batch"): object {
  return {
    provider: "command",
    providers: { command: { argv: ["sh", "-c", program] } },
    turn: { maxAttempts, mode },
    limits: { turnsPerProvider: 10 },
  };
}

async function post(segue: Segue, session: string, content: string): Promise<string> {
  return (await segue.post<MessageAnswer>(`/api/sessions/${session}/messages`, { content })).id;
}

/** Starts the daemon again as long as it is killed; answers it and how often it was. */
async function startUntilItStays(segue: Segue, message: string): Promise<{ segue: Segue; crashes: number }> {
  for (let crashes = 1; crashes < 20; crashes++) {
    expect(await segue.process.ended()).toMatchObject({ signal: "SIGKILL" });
    segue = await segue.restart();
    const started = segue;
    const state = await eventually("the message has ended, or the daemon", async () => {
      if (started.process.hasEnded) return "killed";
      const answer = await started.get<MessageAnswer>(`/api/messages/${message}`).catch(() => undefined);
      return answer?.status === "failed" ? "failed" : undefined;
    });
    if (state === "failed") return { segue, crashes };
  }
  throw new Error("it was killed twenty times");
}

test("a message that kills the daemon again and again ends failed; those in flight beside it do not", async () => {
  let segue = await startSegue({ settings: settings("single") });
  const neighbours: string[] = [];
  for (const session of ["one", "two", "three"]) neighbours.push(await post(segue, session, "hello"));
  const killer = await post(segue, "bad", "kill");
  const after = await post(segue, "bad", "after it").catch(() => undefined);
  const end = await startUntilItStays(segue, killer);
  segue = end.segue;
  expect(await segue.get(`/api/messages/${killer}`)).toMatchObject({
    status: "failed",
    attempts: maxAttempts,
    error: { kind: "interrupted" },
  });
  // The first crash does not count: it may have been anybody's fault.
  expect(end.crashes).toBe(1 + maxAttempts);
  for (const id of [...neighbours, ...(after === undefined ? [] : [after])]) {
    await eventually(
      "done",
      async () => (await segue.get<MessageAnswer>(`/api/messages/${id}`)).status === "done",
    );
    expect(await segue.get(`/api/messages/${id}`)).toMatchObject({ attempts: 1, error: null });
  }
  await segue.stop();
});

test("of a batch that kills the daemon only the message that does so fails", async () => {
  let segue = await startSegue({ settings: settings("batch") });
  const lines = ["hello", "kill", "goodbye"].map((content) => JSON.stringify({ content })).join("\n");
  const path = "/api/sessions/all/messages";
  const headers = { "Content-Type": "application/x-ndjson" };
  const accepted: { items: { id: string }[] } = await (
    await segue.request(path, { method: "POST", headers, body: lines })
  ).json();
  const [first = "", killer = "", last = ""] = accepted.items.map(({ id }) => id);
  ({ segue } = await startUntilItStays(segue, killer));
  await eventually(
    "done",
    async () => (await segue.get<MessageAnswer>(`/api/messages/${last}`)).status === "done",
  );
  expect(await segue.get(`/api/messages/${first}`)).toMatchObject({ status: "done" });
  await segue.stop();
});

test("after a crash a session that was at work is told so, once", async () => {
  const note =
    "[system] The daemon stopped unexpectedly. Your session state has been recovered from the last checkpoint.";
  let segue = await startSegue({ settings: settings("single") });
  const id = await post(segue, "one", "hello");
  await segue.nextEvent(0, ({ type }) => type === "message.started");
  // A second crash before a turn has run adds no second note.
  for (const _ of [1, 2]) {
    await segue.kill();
    segue = await segue.restart();
  }
  const done = async (message: string): Promise<HeardTurn[]> => {
    const reply = await eventually("done", async () => {
      const answer = await segue.get<MessageAnswer>(`/api/messages/${message}`);
      return answer.status === "done" ? answer.reply : undefined;
    });
    const heard: { turns: HeardTurn[] } = JSON.parse(reply);
    return heard.turns;
  };
  expect(await done(id)).toEqual([{ role: "user", content: note }]);
  const next = await done(await post(segue, "one", "again"));
  expect(next.map(({ content }) => content).slice(0, 2)).toEqual([note, "hello"]);
  expect(next.filter(({ content }) => content === note)).toHaveLength(1);
  expect(await done(await post(segue, "idle", "hello"))).toEqual([]);
  await segue.stop();
});
