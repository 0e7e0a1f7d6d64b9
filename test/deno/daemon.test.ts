import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MessageAnswer, PageAnswer } from "../e2e/answers.ts";
import { EventTape } from "../e2e/event-tape.ts";
import { saveSettings } from "../e2e/settings-file.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { cleanEnv, runChild } from "../support/processes.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import { deno, segueUnderDeno } from "./program.ts";

setDefaultTimeout(60_000);

const hasCurl = Bun.which("curl") !== null;
/** Where Deno keeps what it made of the source: once for all tests of this file. */
let cache: string | undefined;

function outside(): { DENO_DIR: string; NO_COLOR: string } {
  cache ??= makeFolder("deno-cache", "file");
  return { DENO_DIR: cache, NO_COLOR: "1" };
}

/** Starts the daemon from its source under Deno. */
function start(settings: object): Promise<Segue> {
  return startSegue({ program: segueUnderDeno, settings, env: outside() });
}

/** Starts it again on what is there. */
function startAgain(segue: Segue): Promise<Segue> {
  return segue.restart({ program: segueUnderDeno, env: outside() });
}

/** Runs one of its commands under Deno, on the same data folder. */
function command(segue: Segue, args: readonly string[]): ReturnType<typeof runChild> {
  const folder = dirname(segue.dataDir);
  const place = ["--data", segue.dataDir, "--settings", segue.settingsPath];
  return runChild({
    command: [...segueUnderDeno, ...args, ...place],
    cwd: folder,
    env: cleanEnv(folder, outside()),
  });
}

async function messagesOf(segue: Segue, session: string): Promise<MessageAnswer[]> {
  return (await segue.get<PageAnswer<MessageAnswer>>(`/api/sessions/${session}/messages`)).items;
}

const slow = { provider: "echo", providers: { echo: { delayMs: 150 } }, reload: { debounceMs: 20 } };

describe.skipIf(deno === undefined)("the same source under Deno", () => {
  test("keeps messages over kill -9, takes up an edit between two turns, and drains on SIGTERM", async () => {
    let segue = await start(slow);
    const tape = new EventTape();
    await tape.follow(segue);
    for (const content of ["one", "two\0", "three"])
      await segue.post("/api/sessions/a/messages", { content });
    await tape.until("the first is done", () => tape.all("message.done").length > 0);
    await segue.kill();
    await tape.ended();

    saveSettings(
      segue.settingsPath,
      { ...slow, provider: "other", providers: { other: { kind: "echo", delayMs: 400 } } },
      "replaced by a rename",
    );
    segue = await startAgain(segue);
    await tape.follow(segue);
    await tape.until("all are done", () => tape.all("message.done").length === 3);
    const known = tape.all("settings.changed").length;
    saveSettings(segue.settingsPath, slow, "replaced by a rename");
    await tape.until("the edit is in force", () => tape.all("settings.changed").length > known);
    await segue.post("/api/sessions/a/messages", { content: "four" });
    await tape.until("the fourth runs", () =>
      tape.all("message.started").some((event) => event.data["seq"] === 4),
    );
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
    await tape.ended();

    segue = await startAgain(segue);
    const messages = await messagesOf(segue, "a");
    expect(messages.map(({ status, content, reply }) => [status, content, reply])).toEqual([
      ["done", "one", "one"],
      ["done", "two\0", "two\0"],
      ["done", "three", "three"],
      ["done", "four", "four"],
    ]);
    expect(messages.map(({ provider }) => provider)).toEqual(["echo", "other", "other", "echo"]);
    await segue.stop();
  });

  test("answers curl on its port and on its socket, and its own commands; nothing is said on standard error", async () => {
    const segue = await start({});
    const folder = makeFolder("curl");
    const curl = (args: readonly string[]): ReturnType<typeof runChild> =>
      runChild({ command: ["curl", "-sS", "--fail-with-body", ...args], cwd: folder, env: cleanEnv(folder) });
    if (hasCurl) {
      const inbox = "/api/sessions/a/messages";
      const text = ["-H", "Content-Type: text/plain", "-H", "Prefer: wait=30", "-d", "Hello"];
      for (const where of [[segue.url + inbox], ["--unix-socket", segue.socket, `http://segue${inbox}`]]) {
        const { exitCode, stdout } = await curl([...where, ...text]);
        expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { status: "done", reply: "Hello" }]);
      }
    }
    expect(await command(segue, ["send", "a", "Who is there?", "--wait", "30"])).toEqual({
      exitCode: 0,
      signal: null,
      stdout: "Who is there?\n",
      stderr: "",
    });
    expect(await command(segue, ["set", "provider", "nobody"])).toMatchObject({ exitCode: 5 });
    expect(await command(segue, ["set", "turn.maxAttempts", "7"])).toMatchObject({ exitCode: 0 });
    expect(await command(segue, ["serve", "--port", "0"])).toMatchObject({ exitCode: 3 });
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
    expect(segue.process.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"))).toEqual(
      [],
    );
  });

  test("goes on where it is to be upgraded, and gives the agent a command that runs", async () => {
    const segue = await start({});
    const upgraded = await command(segue, ["restart", "--upgrade"]);
    expect(upgraded).toMatchObject({ exitCode: 1 });
    expect(upgraded.stderr).toContain("The daemon serves on as it was");
    await command(segue, ["connect", "claude-code"]);
    const folder = dirname(segue.dataDir);
    const agent: { hooks: { SessionStart: { hooks: { command: string }[] }[] } } = JSON.parse(
      readFileSync(join(folder, ".claude", "settings.json"), "utf8"),
    );
    const hook = ["sh", "-c", agent.hooks.SessionStart[0]?.hooks[0]?.command ?? "false"];
    const stdin = JSON.stringify({ cwd: "/home/ada/pump", hook_event_name: "SessionStart" });
    const run = await runChild({ command: hook, cwd: folder, env: cleanEnv(folder, outside()), stdin });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
  });

  test("moves to another port and to another host of the same port, and goes on answering", async () => {
    const [first, second] = [await freePort(), await freePort()];
    const at = (host: string, port: number): object => ({
      server: { host, port },
      reload: { debounceMs: 20 },
    });
    const segue = await startSegue({
      program: segueUnderDeno,
      env: outside(),
      settings: at("127.0.0.1", first),
      port: "settings",
    });
    for (const [host, port] of [
      ["127.0.0.1", second],
      ["localhost", second],
    ] as const) {
      saveSettings(segue.settingsPath, at(host, port), "replaced by a rename");
      const url = `http://${host}:${port}`;
      await eventually(url, async () => (await inForce(segue)).url === url);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    }
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
  });

  test("tells a provider that is not there from one that fails", async () => {
    const baseUrl = `http://127.0.0.1:${await freePort()}/v1`;
    const segue = await start({
      provider: "mine",
      providers: { mine: { kind: "openai", model: "m", baseUrl } },
    });
    const { id } = await segue.post<MessageAnswer>("/api/sessions/a/messages", { content: "hello" });
    const waiting = await eventually("it was tried", async () => {
      const message = await segue.get<MessageAnswer>(`/api/messages/${id}`);
      return message.error ? message : undefined;
    });
    expect(waiting).toMatchObject({ status: "pending", attempts: 0, error: { kind: "unreachable" } });
    expect(waiting.error?.message).toContain("connection refused");
    await segue.stop();
  });
});

/** `GET /api/daemon` on the socket, where it is found wherever it listens. */
async function inForce({ socket }: Segue): Promise<{ url: string }> {
  const response = await fetch("http://segue/api/daemon", { unix: socket });
  return response.json();
}
