import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { errorText } from "../../src/core/errors.ts";
import { contextDigestOf, digestOf, replyOf, startAimock } from "./aimock.ts";
import { eventually } from "./eventually.ts";
import { ManualClock } from "./manual-clock.ts";
import { freePort, takenPort } from "./ports.ts";
import { cleanEnv, isRunning, killLeftChildren, runChild, startChild } from "./processes.ts";
import { makeFolder } from "./workspace.ts";

setDefaultTimeout(30_000);

describe("folders", () => {
  let former = "";
  test("a test gets an empty folder", () => {
    former = makeFolder();
    writeFileSync(join(former, "file"), "");
    expect(existsSync(former)).toBe(true);
  });
  test("which is gone in the next", () => {
    expect(existsSync(former)).toBe(false);
  });
});

describe("children", () => {
  test("run in a clean environment and tell what they wrote", async () => {
    const folder = makeFolder();
    const env = cleanEnv(folder, { OWN: "yes" });
    const { stdout, stderr, exitCode } = await runChild({
      command: ["sh", "-c", "cat; echo $OWN:$OPENAI_API_KEY:$HOME; echo oh >&2; exit 3"],
      env,
      stdin: "in, ",
    });
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: `in, yes::${folder}\n`,
      stderr: "oh\n",
      exitCode: 3,
    });
  });

  test("that are left are named, and killed with all they started", async () => {
    const child = startChild({
      command: ["sh", "-c", "sleep 100 & echo $!; wait"],
      env: cleanEnv(makeFolder()),
    });
    const [pid] = await child.waitForOutput(/\d+/);
    expect(isRunning(Number(pid))).toBe(true);
    expect(await killLeftChildren("test")).toEqual([`${child.command} (process ${child.pid})`]);
    await eventually("the end of the grandchild", () => !isRunning(Number(pid)));
    expect(await killLeftChildren("test")).toEqual([]);
  });

  test("that end without the awaited output fail the wait with what they wrote", async () => {
    const child = startChild({
      command: ["sh", "-c", "echo something else; exit 4"],
      env: cleanEnv(makeFolder()),
    });
    const failure = await child.waitForOutput(/never/).catch(errorText);
    expect(failure).toMatch(/"exitCode":4.*never(.|\n)*something else/);
    await child.ended();
  });
});

describe("ports", () => {
  const canConnect = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket.destroy() !== undefined));
      socket.on("error", () => resolve(false));
    });
  test("a free one has nobody behind it, a taken one has", async () => {
    expect(await canConnect(await freePort())).toBe(false);
    expect(await canConnect(await takenPort())).toBe(true);
  });
});

test("the manual clock wakes sleepers in order, and those that fall asleep meanwhile", async () => {
  const clock = new ManualClock(0);
  const woken: string[] = [];
  const sleeper = async (name: string, ...waits: number[]): Promise<void> => {
    for (const ms of waits) {
      await clock.sleep(ms);
      woken.push(`${name}@${clock.now()}`);
    }
  };
  const abort = new AbortController();
  const all = Promise.all([sleeper("a", 30, 10), sleeper("b", 10, 10, 10), clock.sleep(1e9, abort.signal)]);
  await clock.advance(35);
  expect(woken).toEqual(["b@10", "b@20", "a@30", "b@30"]);
  expect(clock.now()).toBe(35);
  abort.abort();
  await clock.advance(5);
  await all;
  expect({ last: woken.at(-1), waiting: clock.waiting }).toEqual({ last: "a@40", waiting: 0 });
});

describe("the mock of the vendors", () => {
  const mock = startAimock({ name: "first", scope: "file" });
  afterAll(async () => (await mock).stop());

  const content = "héllo\u0000\n";
  const chat = { model: "m1", stream: true, messages: [{ role: "user", content }] };
  const message = { model: "m2", max_tokens: 9, stream: true, messages: [{ role: "user", content }] };
  const contents = { contents: [{ role: "user", parts: [{ text: content }] }] };
  const bodies: [path: string, model: string, body: object][] = [
    ["/v1/chat/completions", "m1", chat],
    ["/v1/messages", "m2", { ...message, system: "be brief" }],
    ["/v1beta/models/m3:streamGenerateContent?alt=sse", "m3", contents],
  ];

  test.each(bodies)(
    "answers %s with a reply that names the message, and remembers the call",
    async (path, model, body) => {
      const server = await mock;
      const before = (await server.calls()).length;
      const response = await fetch(server.url + path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "anthropic-version": "2023-06-01" },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(text).toContain("first has read");
      expect(replyOf("first", content)).toContain(digestOf(content));
      const call = (await server.calls())[before];
      expect(call).toMatchObject({
        digest: digestOf(content),
        model,
        turns: 1,
        context: contextDigestOf([]),
      });
      expect((await server.journal()).at(-1)).toMatchObject({ response: { status: 200 } });
    },
  );

  test("hears a call that it holds, and answers it once released", async () => {
    const server = await mock;
    const before = (await server.calls()).length;
    await server.hold();
    let isAnswered = false;
    const answer = fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify(chat),
    }).then(async (response) => {
      isAnswered = true;
      return response.text();
    });
    await eventually("a held call", async () => (await server.held()) === 1);
    expect(await server.calls()).toHaveLength(before + 1);
    expect(isAnswered).toBe(false);
    await server.release();
    expect(await answer).toContain("first has read");
    expect(await server.held()).toBe(0);
  });

  test("fails the next call on demand", async () => {
    const server = await mock;
    await server.failNext(429, { message: "slow down" });
    const post = (): Promise<Response> =>
      fetch(`${server.url}/v1/chat/completions`, { method: "POST", body: "{}" });
    const ask = (): Promise<Response> =>
      fetch(`${server.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(chat) });
    expect((await ask()).status).toBe(429);
    expect((await ask()).status).toBe(200);
    expect((await post()).ok).toBe(false);
  });
});
