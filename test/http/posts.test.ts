import { afterEach, describe, expect, test } from "bun:test";
import { type Asked, problemOf, refusal } from "./asking.ts";
import { startApp, stopApps } from "./daemon-app.ts";
import { contents, inbox, postLines } from "./inbox.ts";

afterEach(stopApps);

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
      "another charset",
      { body: "x", headers: { "Content-Type": 'text/plain; format=flowed; charset="ISO-8859-1"' } },
      "415 unsupported_media_type",
    ],
    [
      "a compressed body",
      { body: "x", headers: { "Content-Type": "text/plain", "Content-Encoding": "gzip" } },
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
