import { afterEach, expect, test } from "bun:test";
import { refusal } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const path = "/api/sessions/a/transcript";

interface Shown {
  session: string;
  entries: { role: string; content: string; at: string; message: string | null; epoch: number }[];
}

function transcript(app: DaemonApp): Promise<Shown> {
  return app.json<Shown>(path, { headers: { Accept: "application/json" } });
}

test("a transcript holds what was asked and answered, in order, and nothing else", async () => {
  const app = await startApp();
  const first = await app.done("a", "hello");
  const second = await app.done("a", "and again");
  await app.done("b", "elsewhere");
  await app.edit({
    provider: "command",
    providers: { command: { argv: ["/bin/false"] } },
    turn: { maxAttempts: 1 },
  });
  expect(await app.done("a", "fails")).toMatchObject({ status: "failed" });
  const entry = (role: string, content: string, message: string) => ({
    role,
    content,
    message,
    at: "2026-01-01T00:00:00.000Z",
    epoch: 1,
  });
  expect(await transcript(app)).toEqual({
    session: "a",
    entries: [
      entry("user", "hello", first.id),
      entry("assistant", "hello", first.id),
      entry("user", "and again", second.id),
      entry("assistant", "and again", second.id),
    ],
  });
});

test("it goes over all contexts of a session", async () => {
  const app = await startApp({ turn: { rolloverTokens: 1, rolloverKeep: 0 } });
  await app.done("a", "a message of more than one token");
  await app.done("a", "another one of more than a token");
  const { entries } = await transcript(app);
  expect(entries.map(({ role, epoch }) => [role, epoch])).toEqual([
    ["user", 1],
    ["assistant", 1],
    ["user", 2],
    ["assistant", 2],
  ]);
});

test("of a batch each message stands for itself, and the reply with the last", async () => {
  const app = await startApp({ turn: { mode: "batch" }, providers: { echo: { delayMs: 10 } } });
  const body = ["one", "two", "three"].map((content) => JSON.stringify({ content })).join("\n");
  const { items } = await app.json<{ items: { id: string }[] }>("/api/sessions/a/messages", {
    body,
    headers: { "Content-Type": "application/x-ndjson" },
  });
  await app.clock.advance(10);
  const { entries } = await transcript(app);
  const ids = items.map(({ id }) => id);
  expect(entries.map(({ role, content, message }) => [role, content, message])).toEqual([
    ["user", "one", ids[0] ?? ""],
    ["user", "two", ids[1] ?? ""],
    ["user", "three", ids[2] ?? ""],
    ["assistant", "one\n\ntwo\n\nthree", ids[2] ?? ""],
  ]);
});

test("a note of the daemon stands last while it waits for a turn, then before that turn", async () => {
  const app = await startApp();
  await app.done("a", "before");
  await app.services.store.notes.add(["a"], "[system] Something happened.", app.clock.now());
  expect((await transcript(app)).entries.at(-1)).toEqual({
    role: "system",
    content: "[system] Something happened.",
    at: "2026-01-01T00:00:00.000Z",
    message: null,
    epoch: 1,
  });
  const after = await app.done("a", "after");
  const { entries } = await transcript(app);
  expect(entries.slice(2).map(({ role, message }) => [role, message])).toEqual([
    ["system", after.id],
    ["user", after.id],
    ["assistant", after.id],
  ]);
});

test("without wishes it is Markdown, and its length is no matter", async () => {
  const app = await startApp();
  await app.json("/api/sessions", { json: { id: "a", title: "Notes\nof mine" } });
  const empty = await app.ask(path);
  expect(empty.headers.get("Content-Type")).toBe("text/markdown; charset=utf-8");
  expect(await empty.text()).toBe("# Notes of mine\n");
  const body = Array.from({ length: 250 }, (_, n) => JSON.stringify({ content: `message ${n}` })).join("\n");
  await app.json("/api/sessions/a/messages", { body, headers: { "Content-Type": "application/x-ndjson" } });
  for (let turns = 0; turns < 250; turns = (await app.json<{ turns: number }>("/api/sessions/a")).turns)
    await app.clock.settle();
  const text = await (await app.ask(path)).text();
  expect(text).toStartWith("# Notes of mine\n\n## Context 1\n\n### User · 2026-01-01T00:00:00.000Z · msg_");
  expect([...(text.match(/^message \d+$/gm) ?? [])]).toEqual(
    Array.from({ length: 500 }, (_, n) => `message ${Math.floor(n / 2)}`),
  );
});

test.each([
  ["application/json", "application/json"],
  ["application/json;q=0.5, text/markdown;q=0.4", "application/json"],
  ["text/*, application/json;q=0.9", "text/markdown; charset=utf-8"],
  ["*/*", "text/markdown; charset=utf-8"],
  ["image/png", "text/markdown; charset=utf-8"],
])("with Accept: %s it is %s", async (accept, type) => {
  const app = await startApp();
  await app.json("/api/sessions", { json: { id: "a" } });
  const response = await app.ask(path, { headers: { Accept: accept } });
  expect(response.headers.get("Content-Type")).toBe(type);
  await response.body?.cancel();
});

test("an empty transcript is JSON too, and one of a session that is not there is none", async () => {
  const app = await startApp();
  await app.json("/api/sessions", { json: { id: "a" } });
  expect(await transcript(app)).toEqual({ session: "a", entries: [] });
  expect(await refusal(await app.ask("/api/sessions/b/transcript"))).toBe("404 session_not_found");
});
