import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takenPort } from "../support/ports.ts";
import { runSegue, startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer } from "./answers.ts";
import { messagesOf } from "./conversations.ts";

setDefaultTimeout(60_000);

type Run = Awaited<ReturnType<typeof runSegue>>;

/** A refusal tells the user what is wrong in words, and nothing of the program's inside. */
function expectRefusal(run: Run, exitCode: number, ...said: (string | RegExp)[]): void {
  expect(run).toMatchObject({ exitCode, signal: null, stdout: "" });
  for (const part of said) expect(run.stderr).toMatch(part);
  expectClear(run.stderr);
}

function expectClear(stderr: string): void {
  expect(stderr).toMatch(/^(segue|error): \S+ \S+/);
  expect(stderr).not.toMatch(/^\s+at |\bError:|bunfs|\.ts:\d|undefined|\[object|\{"/m);
  expect(stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(5);
}

/** A daemon whose turns last `delayMs`, and how long it waits for them when it stops. */
function startEcho(delayMs: number, graceMs = 20_000): Promise<Segue> {
  return startSegue({ settings: { providers: { echo: { delayMs } }, daemon: { graceMs } } });
}

const never = 600_000;

async function startTurn(segue: Segue): Promise<MessageAnswer> {
  const message = await segue.post<MessageAnswer>("/api/sessions/held/messages", { content: "one two" });
  await segue.nextEvent(0, ({ type }) => type === "message.started");
  return message;
}

describe("a command line", () => {
  test.each<[string[], RegExp]>([
    [["sevre"], /unknown command 'sevre'/],
    [["serve", "--sttings", "x"], /unknown option '--sttings'/],
    [["serve", "--port", "70000"], /0 to 65535/],
    [["serve", "--set", "turn.maxAttempts"], /KEY=VALUE/],
    [["serve", "--set", "turn.maxAttempts=none"], /turn\.maxAttempts must be a whole number/],
    [["serve", "--set", "turn.maxAttemps=1"], /turn\.maxAttempts/],
    [["send"], /missing required argument 'session'/],
    [["send", "a", "b", "--wait", "long"], /number of seconds/],
    [["status", "--url", "ftp://here"], /http/],
    [["check", "a", "b"], /too many arguments/],
    [[], /Usage: segue/],
  ])("that is wrong is refused with exit code 2: segue %p", async (args, said) => {
    const run = await runSegue(args);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toMatch(said);
    if (args.length > 0) expectClear(run.stderr);
  });
});

describe("serve", () => {
  test("on a port in use names the port and who has it: exit code 4, and leaves the data folder to the next", async () => {
    const folder = makeFolder();
    const port = await takenPort();
    const dataDir = join(folder, "data");
    const run = await runSegue(["serve", "--data", dataDir, "--port", String(port)], { folder });
    expectRefusal(run, 4, `127.0.0.1:${port}`, `(pid ${process.pid})`, "server.port");
    const segue = await startSegue({ dataDir });
    expect(await segue.stop()).toMatchObject({ exitCode: 0 });
  });

  test("on a data folder in use names the daemon that has it: exit code 3, and disturbs it in nothing", async () => {
    const segue = await startSegue();
    const instance = readFileSync(join(segue.dataDir, "daemon.json"), "utf8");
    const run = await runSegue(["serve", "--data", segue.dataDir, "--port", "0"]);
    expectRefusal(run, 3, segue.dataDir, `pid ${segue.process.pid}`, segue.url);
    expect(readFileSync(join(segue.dataDir, "daemon.json"), "utf8")).toBe(instance);
    expect((await runSegue(["status", "--data", segue.dataDir])).exitCode).toBe(0);
    await segue.stop();
  });

  const isRoot = process.getuid?.() === 0;
  test.each<[string, (path: string) => void, RegExp]>([
    ["a folder", (path) => mkdirSync(path), /not a regular file/],
    ["too long", (path) => writeFileSync(path, " ".repeat(2 * 1024 * 1024)), /longer than 1 MiB/],
    ["not text", (path) => writeFileSync(path, new Uint8Array([0xff, 0xfe, 0x7b, 0])), /UTF-8/],
    ...(isRoot ? [] : [unreadable]),
  ])("on a settings file that cannot be read, being %s, says why: exit code 5", async (_, make, why) => {
    const folder = makeFolder();
    const path = join(folder, "settings.json");
    make(path);
    const places = ["--settings", path, "--data", join(folder, "data"), "--port", "0"];
    expectRefusal(await runSegue(["serve", ...places], { folder }), 5, path, why);
  });

  test("on a data folder that is none says so: exit code 1", async () => {
    const folder = makeFolder();
    const path = join(folder, "data");
    writeFileSync(path, "not a folder");
    expectRefusal(await runSegue(["serve", "--data", path, "--port", "0"], { folder }), 1, path, "--data");
  });
});

const unreadable: [string, (path: string) => void, RegExp] = [
  "closed to this user",
  (path) => {
    writeFileSync(path, "{}");
    chmodSync(path, 0);
  },
  /permissions/,
];

test("a store that a newer program wrote is refused, and left as it is: exit code 1", async () => {
  const segue = await startSegue();
  await segue.stop();
  const path = join(segue.dataDir, "segue.db");
  const database = new Database(path);
  database.run("PRAGMA user_version = 999");
  database.close(true);
  const before = readFileSync(path);
  const run = await runSegue(["serve", "--data", segue.dataDir, "--port", "0"]);
  expectRefusal(run, 1, /newer Segue/, "999", "--data");
  expect(readFileSync(path).equals(before)).toBe(true);
});

describe("a client", () => {
  test.each(["status", "stop", "sessions", "send a b"])(
    "without a daemon says how to start one: exit code 6 (segue %s)",
    async (words) => {
      expectRefusal(await runSegue(words.split(" ")), 6, /No daemon answers/, "segue serve");
    },
  );

  test("of a daemon that was killed finds nobody behind its socket: exit code 6", async () => {
    const segue = await startSegue();
    await segue.kill();
    expectRefusal(await runSegue(["status", "--data", segue.dataDir]), 6, segue.socket);
  });

  test("that waits longer than it wants to is told so, with the message's id: exit code 7, and the message is kept", async () => {
    const segue = await startEcho(never, 0);
    const run = await runSegue(["send", "held", "one", "--wait", "0.2", "--data", segue.dataDir]);
    const [message] = await messagesOf(segue, "held");
    expect(run).toMatchObject({ exitCode: 7, stdout: `${message?.id}\n` });
    expect(run.stderr).toMatch(/kept/);
    expectClear(run.stderr);
    expect(message).toMatchObject({ status: "running", content: "one" });
    await segue.stop();
  });

  test("of a message that failed is told why: exit code 1", async () => {
    const argv = ["sh", "-c", "echo the pump is dry >&2; exit 3"];
    const segue = await startSegue({
      settings: { provider: "command", providers: { command: { argv } }, turn: { maxAttempts: 1 } },
    });
    const run = await runSegue(["send", "a", "b", "--wait", "30", "--data", segue.dataDir]);
    expectRefusal(run, 1, /failed/, "exited with code 3: the pump is dry");
    await segue.stop();
  });

  test("of a message that is cancelled is told so: exit code 1", async () => {
    const segue = await startEcho(never, 0);
    const sending = runSegue(["send", "held", "one", "--wait", "30", "--data", segue.dataDir]);
    await segue.nextEvent(0, ({ type }) => type === "message.started");
    const [message] = await messagesOf(segue, "held");
    await segue.post(`/api/messages/${message?.id}/cancel`);
    expectRefusal(await sending, 1, /was cancelled/);
    await segue.stop();
  });

  test("that would overwrite the settings is refused: exit code 1", async () => {
    const folder = makeFolder();
    expect((await runSegue(["init"], { folder })).exitCode).toBe(0);
    expectRefusal(await runSegue(["init"], { folder }), 1, /never overwrites/);
  });
});

describe("a daemon with a turn in flight", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "finishes it within the grace after %s: exit code 0",
    async (signal) => {
      const segue = await startEcho(400);
      const { id } = await startTurn(segue);
      const second = await segue.post<MessageAnswer>("/api/sessions/held/messages", { content: "next" });
      segue.process.signal(signal);
      expect(await segue.process.ended()).toEqual({ exitCode: 0, signal: null });
      const again = await segue.restart();
      expect(await again.get(`/api/messages/${id}`)).toMatchObject({ status: "done", reply: "one two" });
      const told = await again.nextEvent(0, ({ data }) => data["message"] === second.id && "usage" in data);
      expect(told.type).toBe("message.done");
      expect(await requeuedBefore(again, told.id)).toEqual([]);
      await again.stop();
    },
  );

  test("puts it back where the grace is over: exit code 0, and the next start answers it", async () => {
    const segue = await startEcho(never, 100);
    const { id } = await startTurn(segue);
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
    writeFileSync(segue.settingsPath, JSON.stringify({ server: { port: 0 } }));
    const again = await segue.restart();
    const done = await again.nextEvent(0, ({ type }) => type === "message.done");
    expect(await requeuedBefore(again, done.id)).toEqual([{ message: id, reason: "drain" }]);
    expect(await again.get(`/api/messages/${id}`)).toMatchObject({ status: "done", attempts: 1 });
    await again.stop();
  });

  test("is gone at once with the second SIGINT: exit code 130, and the next start answers it", async () => {
    const segue = await startEcho(never, never);
    const { id } = await startTurn(segue);
    const draining = segue.nextEvent(0, ({ type }) => type === "daemon.draining");
    segue.process.signal("SIGINT");
    expect((await draining).data).toMatchObject({ reason: "SIGINT", inFlight: 1 });
    segue.process.signal("SIGINT");
    expect(await segue.process.ended()).toEqual({ exitCode: 130, signal: null });
    writeFileSync(segue.settingsPath, JSON.stringify({ server: { port: 0 } }));
    const again = await segue.restart();
    const done = await again.nextEvent(0, ({ type }) => type === "message.done");
    expect(await requeuedBefore(again, done.id)).toEqual([{ message: id, reason: "crash" }]);
    await again.stop();
  });
});

/** What was put back, and why, until the event `last`. */
async function requeuedBefore(
  segue: Segue,
  last: number | undefined,
): Promise<{ message: unknown; reason: unknown }[]> {
  const found: { message: unknown; reason: unknown }[] = [];
  for await (const { id, type, data } of segue.events(0)) {
    if (type === "message.requeued") found.push({ message: data["message"], reason: data["reason"] });
    if (id === last) break;
  }
  return found;
}
