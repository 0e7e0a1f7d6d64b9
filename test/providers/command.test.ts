import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import { createProvider } from "../../src/providers/create.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeFolder } from "../support/workspace.ts";
import { configOf, endOf, failureOf, take } from "./calling.ts";

const variable = "SEGUE_TEST_COMMAND_KEY";

afterEach(() => {
  delete process.env[variable];
});

/** A provider that runs `argv`; a single string is a script for sh. */
function command(
  argv: string | readonly string[],
  clock: Clock = systemClock,
  withheldEnv: () => readonly string[] = () => [],
): Promise<Provider> {
  const config = configOf("command", { argv: typeof argv === "string" ? ["sh", "-c", argv] : argv });
  return createProvider(config, { clock, withheldEnv });
}

test("a command reads the turn as one JSON on standard input, and its output is the reply", async () => {
  const taken = await take(await command("cat"), {
    session: "ses_7",
    system: "Be brief.",
    turns: [
      { role: "user", content: 'q\n"1"' },
      { role: "assistant", content: "a1" },
    ],
    content: "日本\u0000",
  });
  expect(JSON.parse(taken.text)).toEqual({
    session: "ses_7",
    system: "Be brief.",
    turns: [
      { role: "user", content: 'q\n"1"' },
      { role: "assistant", content: "a1" },
    ],
    content: "日本\u0000",
  });
  expect(endOf(taken)).toEqual({ type: "end", finish: "stop", usage: null });
});

test("a reply arrives while the command still runs", async () => {
  const gate = join(makeFolder(), "gate");
  const script = `echo first; while [ ! -e '${gate}' ]; do sleep 0.01; done; echo second`;
  const seen: string[] = [];
  const taken = await take(
    await command(script),
    {},
    {
      onPart: (part) => {
        if (part.type === "text") seen.push(part.text);
        if (part.type === "text" && !existsSync(gate)) writeFileSync(gate, "");
      },
    },
  );
  expect(seen).toEqual(["first\n", "second\n"]);
  endOf(taken);
});

test("a character that arrives in two pieces is one character", async () => {
  const gate = join(makeFolder(), "gate");
  const script = String.raw`printf '\342\202'; while [ ! -e '${gate}' ]; do sleep 0.01; done; printf '\254.'`;
  // The first piece is no text yet, but it is activity.
  const taken = await take(await command(script), {}, { onActivity: () => writeFileSync(gate, "") });
  expect(taken.parts).toEqual([
    { type: "text", text: "€." },
    { type: "end", finish: "stop", usage: null },
  ]);
});

test("an input of several megabytes reaches the command whole, and a reply as large comes back", async () => {
  const content = "0123456789abcdé\n".repeat(200_000);
  const taken = await take(await command("cat"), { content });
  expect(JSON.parse(taken.text)).toEqual({ session: "ses_1", system: "", turns: [], content });
});

test("a command that does not read its input can end well", async () => {
  const taken = await take(await command("exec echo done"), { content: "x".repeat(4_000_000) });
  expect(taken.text).toBe("done\n");
  endOf(taken);
});

test("a command inherits the environment without what settings refer to", async () => {
  process.env[variable] = "planted-secret";
  const script = `printf '%s|%s' "$${variable}" "$PATH"`;
  const withheld: string[] = [];
  const provider = await command(script, systemClock, () => withheld);
  expect((await take(provider)).text).toBe(`planted-secret|${process.env["PATH"]}`);
  withheld.push(variable);
  expect((await take(provider)).text).toBe(`|${process.env["PATH"]}`);
});

test.each([["/no/such/program"], ["no-such-program-anywhere"]])("%s is not_found", async (program) => {
  const failure = failureOf(await take(await command([program])));
  expect(failure.kind).toBe("not_found");
  expect(failure.message).toContain(program);
});

test("a file that is no program, and an argument no system takes, are failures, not throws", async () => {
  const file = join(makeFolder(), "note.txt");
  writeFileSync(file, "not a program");
  expect(failureOf(await take(await command([file]))).kind).toBe("overloaded");
  expect(failureOf(await take(await command(["echo", "a\u0000b"]))).kind).toBe("overloaded");
  expect(failureOf(await take(await command(["echo", "x".repeat(5_000_000)]))).kind).toBe("overloaded");
});

test("another exit code is overloaded, with the last 2,000 characters of standard error", async () => {
  const script = "echo partial; printf 'begin%03000dend' 0 >&2; exit 3";
  const taken = await take(await command(script));
  expect(taken.text).toBe("partial\n");
  expect(failureOf(taken)).toEqual({
    kind: "overloaded",
    message: `command sh exited with code 3: ${"0".repeat(1997)}end`,
  });
});

test("a command that a signal ends is overloaded", async () => {
  const failure = failureOf(await take(await command("kill -KILL $$")));
  expect(failure).toEqual({ kind: "overloaded", message: "command sh was ended by SIGKILL" });
});

test("what a command says on standard error counts as activity", async () => {
  const taken = await take(await command("echo working >&2; sleep 0.01; echo more >&2"));
  expect(taken.activity).toBeGreaterThan(0);
  expect(taken.text).toBe("");
  endOf(taken);
});

test("an abort ends the command and what it started", async () => {
  const abort = new AbortController();
  const taken = await take(
    await command('sleep 1000 & echo "$$ $!"; wait'),
    { signal: abort.signal },
    { onPart: () => abort.abort() },
  );
  expect(taken.parts).toHaveLength(1);
  const pids = taken.text.trim().split(" ").map(Number);
  expect(pids).toHaveLength(2);
  await eventually("both processes gone", () => pids.every((pid) => !isRunning(pid)));
});

test("a command that ignores SIGTERM is killed after 2 s, and its stream ends then", async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const script = "trap '' TERM; echo $$; while :; do sleep 0.01; done";
  let hasEnded = false;
  const taken = command(script, clock)
    .then((provider) => take(provider, { signal: abort.signal }, { onPart: () => abort.abort() }))
    .finally(() => (hasEnded = true));
  await eventually("the wait for the end", () => clock.waiting === 1);
  await clock.advance(1999);
  expect(hasEnded).toBe(false);
  await clock.advance(1);
  const { text } = await taken;
  expect(isRunning(Number(text))).toBe(false);
  expect(clock.waiting).toBe(0);
});

test("what a command started and left behind is killed with it, where it ignores SIGTERM", async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const script = "(trap '' TERM; echo ready; while :; do sleep 0.01; done) & echo $!; wait";
  const texts: string[] = [];
  let hasEnded = false;
  const taken = take(
    await command(script, clock),
    { signal: abort.signal },
    {
      onPart: (part) => {
        if (part.type === "text") texts.push(part.text);
        if (/ready/.test(texts.join("")) && /\d/.test(texts.join(""))) abort.abort();
      },
    },
  ).finally(() => (hasEnded = true));
  await eventually("the wait for the grandchild", () => clock.waiting > 0);
  expect(hasEnded).toBe(false);
  await eventually("time for all to end", () => clock.advance(50).then(() => hasEnded));
  await taken;
  const pid = Number(/\d+/.exec(texts.join(""))?.[0]);
  expect(pid).toBeGreaterThan(0);
  await eventually("the grandchild gone", () => !isRunning(pid));
});

test("a reader that goes away ends the command", async () => {
  const provider = await command("echo $$; sleep 1000");
  let pid = 0;
  const request = {
    session: "s",
    system: "",
    turns: [],
    content: "",
    signal: new AbortController().signal,
    onActivity: () => undefined,
  };
  for await (const part of provider.call(request)) {
    if (part.type === "text") pid = Number(part.text);
    break;
  }
  expect(pid).toBeGreaterThan(0);
  await eventually("the command gone", () => !isRunning(pid));
});

test("a command that is not started at all, where the turn is aborted before", async () => {
  const mark = join(makeFolder(), "mark");
  const taken = await take(await command(["touch", mark]), { signal: AbortSignal.abort() });
  expect(taken.parts).toEqual([]);
  expect(existsSync(mark)).toBe(false);
});

test("a child that a command leaves behind with its output open does not hold the reply", async () => {
  const clock = new ManualClock();
  const taken = take(await command("sleep 1000 & echo $!", clock));
  await eventually("the wait for a silent output", () => clock.waiting === 1);
  await clock.advance(1000);
  const { text, parts } = await taken;
  expect(parts.at(-1)?.type).toBe("end");
  const pid = Number(text);
  // It is no part of the turn: it may run on.
  expect(isRunning(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
});

/** Whether a process runs; one that has ended and that nobody has asked about (a zombie) does not. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, "utf8"));
}
