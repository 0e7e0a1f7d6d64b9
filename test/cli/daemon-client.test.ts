import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { listen } from "../../src/platform/bun.ts";
import type { Listener } from "../../src/platform/platform.ts";
import { closeHomes, homeWithDaemon } from "./daemon-home.ts";
import { makeHome, type Home } from "./segue.ts";

/*
 * Commands against answers that a real daemon gives only by luck of timing: what a command makes of them.
 * Commands against the daemon itself are tested with the daemon.
 */

const listeners: Listener[] = [];

afterEach(closeHomes);
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.stop(true);
});

function message(change: Record<string, unknown>): Record<string, unknown> {
  return {
    id: "msg_1",
    session: "notes",
    seq: 1,
    content: "Hello",
    status: "pending",
    attempts: 0,
    reply: null,
    repliedBy: null,
    error: null,
    provider: null,
    model: null,
    revision: null,
    usage: null,
    startedAt: null,
    finishedAt: null,
    ...change,
  };
}

/** Answers posts with `accepted`, and what is asked afterwards with `later`. */
function inbox(
  accepted: Record<string, unknown>,
  later = accepted,
): { home: Home; requests: Request[]; bodies: unknown[] } {
  const requests: Request[] = [];
  const bodies: unknown[] = [];
  const home = homeWithDaemon(async (request) => {
    requests.push(request);
    if (request.method === "GET") return Response.json(later);
    bodies.push(await request.json());
    return Response.json(accepted, { status: 202 });
  });
  return { home, requests, bodies };
}

test("send posts the text and prints the message's id", async () => {
  const { home, requests, bodies } = inbox(message({}));
  expect(await home.segue(["send", "my notes", "Hello"])).toEqual({
    exitCode: 0,
    stdout: "msg_1\n",
    stderr: "",
  });
  expect(requests.map((request) => new URL(request.url).pathname)).toEqual([
    "/api/sessions/my%20notes/messages",
  ]);
  expect(requests[0]?.headers.get("Prefer")).toBeNull();
  expect(bodies).toEqual([{ content: "Hello" }]);
});

test.each([[["-"]], [[]]])("send with %p reads the message from standard input as it is", async (text) => {
  const { home, bodies } = inbox(message({}));
  const stdin = "Zwei Zeilen\nund お茶\n";
  expect((await home.segue(["send", "notes", ...text], { stdin })).exitCode).toBe(0);
  expect(bodies).toEqual([{ content: stdin }]);
});

test("send --wait asks for the wait, passes the key, and prints the reply", async () => {
  const { home, requests } = inbox(message({ status: "done", reply: "Hello\nyou" }));
  const run = await home.segue(["send", "notes", "Hello", "--wait", "900", "--key", "k-1"]);
  expect(run).toEqual({ exitCode: 0, stdout: "Hello\nyou\n", stderr: "" });
  expect(requests[0]?.headers.get("Prefer")).toBe("wait=300");
  expect(requests[0]?.headers.get("Idempotency-Key")).toBe("k-1");
});

test("send --wait goes on waiting where the daemon answers before the message has ended", async () => {
  const { home } = inbox(message({}), message({ status: "done", reply: "late" }));
  expect(await home.segue(["send", "notes", "Hello", "--wait", "20"])).toMatchObject({
    exitCode: 0,
    stdout: "late\n",
  });
});

test("send --wait of a message that fails prints why on standard error, and answers 1", async () => {
  const { home } = inbox(message({ status: "failed", error: { kind: "auth", message: "no such key" } }));
  const run = await home.segue(["send", "notes", "Hello", "--wait", "5"]);
  expect(run).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "segue: message msg_1 failed: no such key (auth)\n",
  });
});

test("send --wait that runs out of time prints the id, says that the message is kept, and answers 7", async () => {
  const { home } = inbox(message({}));
  const run = await home.segue(["send", "notes", "Hello", "--wait", "0.1"]);
  expect(run).toMatchObject({ exitCode: 7, stdout: "msg_1\n" });
  expect(run.stderr).toContain("message msg_1 is kept");
});

test("--json prints what the API returned", async () => {
  const { home } = inbox(message({ unknown: "kept" }));
  const run = await home.segue(["send", "notes", "Hello", "--json"]);
  expect(JSON.parse(run.stdout)).toEqual(message({ unknown: "kept" }));
});

test("a problem that the daemon answers becomes its sentence, its places and its exit code", async () => {
  const problem = {
    code: "settings_invalid",
    detail: "The settings are not valid.",
    errors: [{ path: "turn", message: "turn must be an object", line: 2, column: 3 }],
  };
  const home = homeWithDaemon(() =>
    Response.json(problem, { status: 422, headers: { "Content-Type": "application/problem+json" } }),
  );
  const run = await home.segue(["sessions", "--settings", "/etc/segue.json"]);
  expect(run).toMatchObject({ exitCode: 5, stdout: "" });
  expect(run.stderr).toBe(
    "segue: The settings are not valid.\n/etc/segue.json:2:3: turn must be an object\n",
  );
});

test("a problem in what was sent is told with its place there, not in the settings file", async () => {
  const errors = [{ path: "content", message: "must not be empty" }];
  const home = homeWithDaemon(() =>
    Response.json({ code: "invalid", detail: "not the shape", errors }, { status: 422 }),
  );
  const run = await home.segue(["send", "notes", ""]);
  expect(run).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "segue: not the shape\ncontent: must not be empty\n",
  });
});

test("something else at the address is said to be something else", async () => {
  const home = homeWithDaemon(
    () => new Response("<html>It works!</html>", { headers: { "Content-Type": "text/html" } }),
  );
  const run = await home.segue(["sessions"]);
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toContain("does not speak like Segue");
});

test("with --url the token goes along, and redirects are not followed", async () => {
  const tokens: (string | null)[] = [];
  const listener = listen({ host: "127.0.0.1", port: 0 }, (request) => {
    tokens.push(request.headers.get("Authorization"));
    return Response.json({ items: [], next: null });
  });
  const gate = listen({ host: "127.0.0.1", port: 0 }, () =>
    Response.redirect(`http://127.0.0.1:${listener.port}/`),
  );
  listeners.push(listener, gate);
  const home = makeHome();
  const env = { SEGUE_TOKEN: "t-env" };
  const url = `http://127.0.0.1:${listener.port}/`;
  expect((await home.segue(["sessions", "--url", url], { env })).exitCode).toBe(0);
  expect((await home.segue(["sessions", "--url", url, "--token", "t-flag"], { env })).exitCode).toBe(0);
  expect((await home.segue(["sessions", "--url", `http://127.0.0.1:${gate.port}`], { env })).exitCode).toBe(
    6,
  );
  expect(tokens).toEqual(["Bearer t-env", "Bearer t-flag"]);
});

test("a daemon whose data folder has too long a path for a socket is spoken to at its URL", async () => {
  const listener = listen({ host: "127.0.0.1", port: 0 }, () => Response.json({ items: [], next: null }));
  listeners.push(listener);
  const home = makeHome();
  const instance = { pid: 1, instanceId: "boot_1", version: "1.2.3", startedAt: "2026-01-01T00:00:00.000Z" };
  const url = `http://127.0.0.1:${listener.port}`;
  writeFileSync(join(home.folder, "daemon.json"), JSON.stringify({ ...instance, url, socket: null }));
  expect((await home.segue(["sessions", "--data", "."])).exitCode).toBe(0);
});

test("sessions reads all pages", async () => {
  const session = (id: string) => ({
    id,
    title: null,
    state: "waiting",
    waitingFor: "retry",
    waitingUntil: null,
    provider: "echo",
    model: "echo",
    bindingRevision: 1,
    generatorId: null,
    pending: 2,
    pendingRestart: null,
    turns: 3,
    epoch: 0,
    createdAt: "2026-01-01T00:00:00.000Z",
    lastActivityAt: "2026-01-01T00:00:01.000Z",
  });
  const home = homeWithDaemon((request) =>
    new URL(request.url).searchParams.get("cursor") === "c=2"
      ? Response.json({ items: [session("b")], next: null })
      : Response.json({ items: [session("a")], next: "c=2" }),
  );
  const run = await home.segue(["sessions"]);
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  const row = (id: string) => `${id}\twaiting: retry\techo\techo\t2\t3\t2026-01-01T00:00:01.000Z\n`;
  expect(run.stdout).toBe(row("a") + row("b"));
});

test("tail prints events without the pieces of replies, goes on where it was, and ends with the daemon's refusal", async () => {
  const asked: (string | null)[] = [];
  const home = homeWithDaemon((request) => {
    asked.push(request.headers.get("Last-Event-ID"));
    if (asked.length > 1) return Response.json({ code: "unauthorized", detail: "No." }, { status: 401 });
    const stream =
      "retry: 1000\n\n: quiet\n\n" +
      'id: 7\nevent: message.started\ndata: {"at":"2026-01-01T11:22:33.000Z","session":"a","message":"m","attempt":1}\n\n' +
      'event: message.delta\ndata: {"session":"a","text":"Hel"}\n\n';
    return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
  });
  const run = await home.segue(["tail"]);
  expect(run).toEqual({
    exitCode: 1,
    stdout: "11:22:33Z message.started a message=m attempt=1\n",
    stderr: "segue: No.\n",
  });
  expect(asked).toEqual([null, "7"]);
});

test("tail ends quietly when nobody reads it any more", async () => {
  const encoder = new TextEncoder();
  const home = homeWithDaemon(() => {
    const events = new ReadableStream({
      async pull(controller) {
        controller.enqueue(encoder.encode('event: session.idle\ndata: {"session":"a"}\n\n'));
        await new Promise((resolve) => setImmediate(resolve));
      },
    });
    return new Response(events, { headers: { "Content-Type": "text/event-stream" } });
  });
  expect(await home.firstLineOf(["tail"])).toEqual({
    exitCode: 0,
    stdout: "--:--:--Z session.idle a\n",
    stderr: "",
  });
});

test("a problem in the daemon's settings is told with the daemon's file, not with one that this command would take", async () => {
  const problem = {
    path: "turn.maxAttempts",
    message: "turn.maxAttempts must be at least 1",
    line: 3,
    column: 7,
  };
  const daemon = {
    instanceId: "boot_1",
    pid: 1,
    version: "0.1.0",
    startedAt: "2026-01-01T00:00:00.000Z",
    phase: "serving",
    url: "http://127.0.0.1:4747",
    settingsPath: "/var/lib/segue/settings.json",
    dataDir: "/var/lib/segue/data",
  };
  const home = homeWithDaemon((request) =>
    request.method === "GET"
      ? Response.json(daemon)
      : Response.json({ code: "settings_invalid", detail: "not valid", errors: [problem] }, { status: 422 }),
  );
  const run = await home.segue(["reload"]);
  expect(run).toMatchObject({ exitCode: 5, stdout: "" });
  expect(run.stderr).toContain("\n/var/lib/segue/settings.json:3:7: turn.maxAttempts must be at least 1\n");
});
