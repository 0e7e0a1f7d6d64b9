import { afterEach, describe, expect, test } from "bun:test";
import { type Asked, problemOf, refusal, type ShownMessage } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const inbox = "/api/sessions/a/messages";

function postLines(
  app: DaemonApp,
  lines: readonly string[],
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = lines.join("\n");
  return app.ask(inbox, { body, headers: { "Content-Type": "application/x-ndjson", ...headers } });
}

async function contents(app: DaemonApp): Promise<string[]> {
  const response = await app.ask(inbox);
  if (response.status === 404) return [];
  const { items }: { items: ShownMessage[] } = await response.json();
  return items.map(({ content }) => content);
}

describe("posting a message", () => {
  test("it is accepted, shown as it is, and can be asked for where Location says", async () => {
    const app = await startApp();
    const response = await app.ask(inbox, { json: { content: "hello" } });
    expect(response.status).toBe(202);
    const message = await response.json();
    expect(message).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/),
      session: "a",
      seq: 1,
      content: "hello",
      status: expect.stringMatching(/^(pending|running|done)$/),
      attempts: expect.any(Number),
      reply: null,
      finish: null,
      error: null,
      provider: null,
      model: null,
      revision: null,
      fallbackFrom: null,
      usage: null,
      repliedBy: null,
      retryOf: null,
      createdAt: "2026-01-01T00:00:00.000Z",
      startedAt: null,
      finishedAt: null,
    });
    expect(response.headers.get("Location")).toBe(`/api/messages/${message.id}`);
    expect(await app.json(`/api/messages/${message.id}`)).toMatchObject({ id: message.id, content: "hello" });
  });

  test("it makes the session if that is new", async () => {
    const app = await startApp();
    await app.post("claude-code:1", "hello");
    expect(await app.json("/api/sessions/claude-code:1")).toMatchObject({ id: "claude-code:1", turns: 0 });
  });

  test("plain text is the content as it is, white space and all", async () => {
    const app = await startApp();
    const text = `\ufeff  {"content": "x"}\r\n\tn\u00e4chste Zeile \u{1f600}\0\n`;
    const response = await app.ask(inbox, {
      body: text,
      headers: { "Content-Type": "text/plain; charset=utf-8" },
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ content: text, seq: 1 });
    expect(await contents(app)).toEqual([text]);
  });

  test("a body that comes in pieces, cut inside of a character, is put together", async () => {
    const app = await startApp();
    const bytes = new TextEncoder().encode("ein \u{1f600} lacht");
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const response = await app.ask(inbox, { body, headers: { "Content-Type": "text/plain" } });
    expect(await response.json()).toMatchObject({ content: "ein \u{1f600} lacht" });
  });

  const wrong: [string, Asked, string][] = [
    ["no body", { method: "POST", headers: { "Content-Type": "application/json" } }, "400 malformed"],
    ["no JSON", { body: "{content: 1}", headers: { "Content-Type": "application/json" } }, "400 malformed"],
    [
      "half a JSON",
      { body: `{"content": "a`, headers: { "Content-Type": "application/json" } },
      "400 malformed",
    ],
    [
      "JSON that is too deep",
      { body: "[".repeat(100_000), headers: { "Content-Type": "application/json" } },
      "400 malformed",
    ],
    [
      "no UTF-8",
      { body: new Uint8Array([0x22, 0xff, 0x22]), headers: { "Content-Type": "text/plain" } },
      "400 malformed",
    ],
    ["no content", { json: {} }, "422 invalid"],
    ["a list", { json: [{ content: "x" }] }, "422 invalid"],
    ["a content that is no text", { json: { content: 7 } }, "422 invalid"],
    ["an empty content", { json: { content: "" } }, "422 invalid"],
    ["an empty text", { body: "", method: "POST", headers: { "Content-Type": "text/plain" } }, "422 invalid"],
    ["half of a character", { json: { content: "\ud83d" } }, "422 invalid"],
    ["an unknown field", { json: { content: "x", role: "user" } }, "422 invalid"],
    [
      "a field that every object has",
      { body: `{"content":"x","__proto__":{}}`, headers: { "Content-Type": "application/json" } },
      "422 invalid",
    ],
    ["no media type", { body: new TextEncoder().encode("x") }, "415 unsupported_media_type"],
    [
      "another media type",
      { body: "x", headers: { "Content-Type": "text/html" } },
      "415 unsupported_media_type",
    ],
    [
      "a form",
      { body: "content=x", headers: { "Content-Type": "application/x-www-form-urlencoded" } },
      "415 unsupported_media_type",
    ],
  ];

  test.each(wrong)("%s is refused, and stores nothing", async (_name, asked, expected) => {
    const app = await startApp();
    expect(await refusal(await app.ask(inbox, asked))).toBe(expected);
    expect(await contents(app)).toEqual([]);
  });

  test("a session that no id can be is refused", async () => {
    const app = await startApp();
    for (const id of ["-a", "a%20b", "a%2Fb", "%zz", "a".repeat(129)])
      expect(await refusal(await app.ask(`/api/sessions/${id}/messages`, { json: { content: "x" } }))).toBe(
        "400 malformed",
      );
  });
});

describe("limits", () => {
  test("a message may have limits.maxMessageBytes bytes of UTF-8, and not one more", async () => {
    const app = await startApp({ limits: { maxMessageBytes: 6 } });
    expect((await app.ask(inbox, { json: { content: "\u{1f600}ab" } })).status).toBe(202);
    const problem = await problemOf(await app.ask(inbox, { json: { content: "\u{1f600}abc" } }));
    expect([problem.status, problem.code]).toEqual([413, "too_large"]);
    expect(problem.detail).toContain("limits.maxMessageBytes");
    expect(await refusal(await postLines(app, [`{"content":"ok"}`, `{"content":"toolong"}`]))).toBe(
      "413 too_large",
    );
    expect(await contents(app)).toEqual(["\u{1f600}ab"]);
  });

  test("a body may have 32 MiB: more is refused by what it says of itself, or as it comes", async () => {
    const app = await startApp();
    const claimed = { "Content-Type": "text/plain", "Content-Length": String(32 * 1024 * 1024 + 1) };
    expect(await refusal(await app.ask(inbox, { body: "x", headers: claimed }))).toBe("413 too_large");

    const chunk = new Uint8Array(1024 * 1024).fill(0x61);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(chunk);
      },
    });
    const response = await app.ask(inbox, { body: endless, headers: { "Content-Type": "text/plain" } });
    expect(await refusal(response)).toBe("413 too_large");
    expect(sent).toBeLessThan(40);
  });

  test("beyond limits.maxPendingPerSession a post is told to come again, and others are not", async () => {
    const slow = { kind: "echo", model: "m", delayMs: 1000 };
    const app = await startApp({
      provider: "slow",
      providers: { slow },
      limits: { maxPendingPerSession: 2, turnsPerProvider: 1 },
    });
    await app.post("other", "in flight");
    await app.clock.settle();
    await app.post("a", "one");
    await app.post("a", "two");
    const response = await app.ask(inbox, { json: { content: "three" } });
    expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await refusal(response)).toBe("429 too_many_pending");
    expect((await app.ask("/api/sessions/b/messages", { json: { content: "x" } })).status).toBe(202);
    await app.clock.advance(1000);
    await app.clock.advance(1000);
    expect((await app.ask(inbox, { json: { content: "three" } })).status).toBe(202);
  });

  test("a change of the limits holds from the next post on", async () => {
    const app = await startApp();
    await app.edit({ limits: { maxMessageBytes: 3 } });
    expect(await refusal(await app.ask(inbox, { json: { content: "four" } }))).toBe("413 too_large");
  });

  test("without room on the disk a post is refused, reading goes on, and it recovers by itself", async () => {
    const app = await startApp();
    await app.done("a", "before");
    const makeRoom = app.fillDisk();
    const big = "x".repeat(500_000);
    expect(await refusal(await app.ask(inbox, { json: { content: big } }))).toBe("507 storage_full");
    expect(await contents(app)).toEqual(["before"]);
    makeRoom();
    expect((await app.done("a", big)).reply === big).toBe(true);
  });
});

describe("posting a list", () => {
  test("all of it is taken in order, empty lines passed over", async () => {
    const app = await startApp();
    const response = await postLines(app, [`{"content":"one"}`, "", `  {"content":"two\\nlines"}\r`, ""]);
    expect(response.status).toBe(202);
    const answer = await response.json();
    expect(answer).toEqual({
      items: [
        { id: expect.any(String), seq: 1 },
        { id: expect.any(String), seq: 2 },
      ],
      count: 2,
    });
    expect(await contents(app)).toEqual(["one", "two\nlines"]);
  });

  const wrong: [string, string[], string, number | undefined][] = [
    ["a line that is no JSON", [`{"content":"one"}`, "", "{content}"], "400 malformed", 3],
    ["a line with wrong fields", [`{"content":"one"}`, `{"content":1}`], "422 invalid", 2],
    ["a line with an unknown field", [`{"content":"one","id":"x"}`], "422 invalid", 1],
    ["a line that is empty text", [`{"content":"one"}`, `{"content":""}`], "422 invalid", 2],
    ["a line that is a list", ["[]"], "422 invalid", 1],
    ["no line at all", ["", "  "], "422 invalid", undefined],
  ];

  test.each(wrong)(
    "%s is refused with its line, and nothing is taken",
    async (_name, lines, expected, line) => {
      const app = await startApp();
      const problem = await problemOf(await postLines(app, lines));
      expect(`${problem.status} ${problem.code}`).toBe(expected);
      expect(problem.errors?.[0]?.line).toBe(line);
      expect(await contents(app)).toEqual([]);
    },
  );

  test("a list for which there is no room is refused whole", async () => {
    const app = await startApp({ limits: { maxPendingPerSession: 1 } });
    expect(await refusal(await postLines(app, [`{"content":"1"}`, `{"content":"2"}`]))).toBe(
      "429 too_many_pending",
    );
    expect(await contents(app)).toEqual([]);
  });

  test("the key stands for the list", async () => {
    const app = await startApp();
    const headers = { "Idempotency-Key": "k" };
    const lines = [`{"content":"one"}`, `{"content":"two"}`];
    const first = await (await postLines(app, lines, headers)).json();
    const again = await postLines(app, lines, headers);
    expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([200, "true"]);
    expect(await again.json()).toEqual(first);
    expect(await refusal(await postLines(app, lines.slice(1), headers))).toBe("409 idempotency_conflict");
    expect(await contents(app)).toEqual(["one", "two"]);
  });
});

describe("an Idempotency-Key", () => {
  const post = (app: DaemonApp, content: string, key: string, session = "a"): Promise<Response> =>
    app.ask(`/api/sessions/${session}/messages`, { json: { content }, headers: { "Idempotency-Key": key } });

  test("makes a repeat answer with the same message, as it is now", async () => {
    const app = await startApp();
    const first = await post(app, "hello", "k");
    expect([first.status, first.headers.get("Idempotency-Replayed")]).toEqual([202, null]);
    const { id } = await first.json();
    await app.done("a", "after it");
    const again = await post(app, "hello", "k");
    expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([200, "true"]);
    expect(again.headers.get("Location")).toBe(`/api/messages/${id}`);
    expect(await again.json()).toMatchObject({ id, status: "done", reply: "hello" });
    expect(await contents(app)).toEqual(["hello", "after it"]);
  });

  test("does so for two posts at the same time", async () => {
    const app = await startApp();
    const both = await Promise.all([post(app, "hello", "k"), post(app, "hello", "k")]);
    const [one, two] = await Promise.all(both.map((response) => response.json()));
    expect(one.id).toBe(two.id);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 202]));
    expect(await contents(app)).toEqual(["hello"]);
  });

  test("stands for the content, in whichever media type it comes", async () => {
    const app = await startApp();
    await post(app, "hello", "k");
    const headers = { "Content-Type": "text/plain", "Idempotency-Key": "k" };
    expect((await app.ask(inbox, { body: "hello", headers })).status).toBe(200);
    expect(await refusal(await app.ask(inbox, { body: "other", headers }))).toBe("409 idempotency_conflict");
  });

  test("counts within its session", async () => {
    const app = await startApp();
    await post(app, "hello", "k");
    expect((await post(app, "other", "k", "b")).status).toBe(202);
  });

  test("makes a repeat answer even where there is no room for another message", async () => {
    const app = await startApp({
      limits: { maxPendingPerSession: 1 },
      provider: "slow",
      providers: { slow: { kind: "echo", model: "m", delayMs: 9000 } },
    });
    await app.post("a", "in flight");
    await app.clock.settle();
    await post(app, "waiting", "k");
    expect((await post(app, "waiting", "k")).status).toBe(200);
    expect(await refusal(await post(app, "waiting", "l"))).toBe("429 too_many_pending");
  });

  const wrong: [string, string][] = [
    ["empty", ""],
    ["two words", "a b"],
    ["words with a tab between", "a\tb"],
    ["beyond ASCII", "schl\u00fcssel"],
    ["longer than 255 characters", "x".repeat(256)],
  ];

  test.each(wrong)("cannot be %s", async (_name, key) => {
    const app = await startApp();
    expect(await refusal(await post(app, "hello", key))).toBe("400 malformed");
    expect(await contents(app)).toEqual([]);
  });

  test("may have 255 visible characters", async () => {
    const app = await startApp();
    expect((await post(app, "hello", `!~${"x".repeat(253)}`)).status).toBe(202);
  });
});
