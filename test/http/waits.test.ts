import { afterEach, describe, expect, test } from "bun:test";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const slow = { provider: "slow", providers: { slow: { kind: "echo", model: "m", delayMs: 1000 } } };

function post(
  app: DaemonApp,
  prefer: string,
  more: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const headers = { Prefer: prefer, ...more };
  return app.ask("/api/sessions/a/messages", {
    json: { content: "hello" },
    headers,
    ...(signal && { signal }),
  });
}

/** What is known of an answer that may still be to come. */
function watch(asked: Promise<Response>): { status: () => number | undefined } {
  let status: number | undefined;
  void asked.then((response) => (status = response.status));
  return { status: () => status };
}

describe("Prefer: wait", () => {
  test("that begins after the swap of a restart is not let go by that restart", async () => {
    const app = await startApp(slow);
    const asked: Promise<Response>[] = [];
    await app.restart(async () => {
      asked.push(post(app, "wait=5"));
      await app.clock.settle();
    });
    await app.clock.advance(1000);
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200]);
  });

  test("that begins while the daemon stops is answered 202 at once", async () => {
    const app = await startApp(slow);
    app.services.ends.close();
    const response = await post(app, "wait=300");
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "pending" });
  });

  test("answers 200 with the reply once the message has ended", async () => {
    const app = await startApp(slow);
    const asked = post(app, "wait=5");
    const { status } = watch(asked);
    await app.clock.advance(999);
    expect(status()).toBeUndefined();
    await app.clock.advance(1);
    const response = await asked;
    expect(response.status).toBe(200);
    expect(response.headers.get("Preference-Applied")).toBe("wait=5");
    expect(response.headers.get("Location")).toStartWith("/api/messages/");
    expect(await response.json()).toMatchObject({
      status: "done",
      reply: "hello",
      finish: "stop",
      provider: "slow",
      model: "m",
      revision: 1,
      usage: { inputTokens: 2, outputTokens: 2, estimated: true },
    });
  });

  test("answers 202 when the time is up, and the message goes on", async () => {
    const app = await startApp(slow);
    await app.post("a", "before it");
    const asked = post(app, "wait=1");
    await app.clock.advance(1000);
    const response = await asked;
    expect([response.status, response.headers.get("Preference-Applied")]).toEqual([202, "wait=1"]);
    const { id } = await response.json();
    await app.clock.advance(1000);
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "done" });
  });

  test("a wait of no time answers at once", async () => {
    const app = await startApp(slow);
    const asked = post(app, "wait=0");
    await app.clock.advance(0);
    const response = await asked;
    expect([response.status, response.headers.get("Preference-Applied")]).toEqual([202, "wait=0"]);
  });

  test("more than 300 seconds count as 300", async () => {
    const app = await startApp({
      ...slow,
      turn: { timeoutMs: 9_000_000, maxDurationMs: 9_000_000 },
      providers: { slow: { kind: "echo", model: "m", delayMs: 8_000_000 } },
    });
    const asked = post(app, "wait=3000");
    const { status } = watch(asked);
    await app.clock.advance(299_999);
    expect(status()).toBeUndefined();
    await app.clock.advance(1);
    const response = await asked;
    expect([response.status, response.headers.get("Preference-Applied")]).toEqual([202, "wait=300"]);
  });

  test.each(["respond-async, wait=7", "wait = 7", `wait="7"`, "WAIT=7", "wait=7; foo=bar", "wait=7, wait=9"])(
    "is understood as %j",
    async (prefer) => {
      const app = await startApp();
      const response = await post(app, prefer);
      expect([response.status, response.headers.get("Preference-Applied")]).toEqual([200, "wait=7"]);
    },
  );

  test.each(["wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "waiting=5", "return=minimal", ""])(
    "is passed over as %j",
    async (prefer) => {
      const app = await startApp(slow);
      const response = await post(app, prefer);
      expect([response.status, response.headers.get("Preference-Applied")]).toEqual([202, null]);
    },
  );

  test("a message that failed or was cancelled has ended too", async () => {
    const app = await startApp({
      provider: "command",
      providers: { command: { argv: ["/bin/false"] } },
      turn: { maxAttempts: 1 },
    });
    const failed = await post(app, "wait=5");
    expect(failed.status).toBe(200);
    expect(await failed.json()).toMatchObject({
      status: "failed",
      reply: null,
      error: { kind: "overloaded" },
    });
    await app.edit(slow);
    const asked = post(app, "wait=5");
    await app.clock.settle();
    const { items } = await app.json<{ items: { id: string }[] }>("/api/messages?status=running");
    await app.ask(`/api/messages/${items[0]?.id}/cancel`, { method: "POST" });
    const cancelled = await asked;
    expect(cancelled.status).toBe(200);
    expect(await cancelled.json()).toMatchObject({ status: "cancelled", reply: null });
  });

  test("a client that goes away cancels nothing, and leaves nothing that waits", async () => {
    const app = await startApp(slow);
    const client = new AbortController();
    const asked = post(app, "wait=60", {}, client.signal);
    await app.clock.settle();
    client.abort();
    const { id } = await (await asked).json();
    await app.clock.advance(1000);
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "done", reply: "hello" });
  });

  test("a repeat under its key waits for the same message", async () => {
    const app = await startApp(slow);
    const key = { "Idempotency-Key": "k" };
    const first = await post(app, "", key);
    await app.clock.settle();
    const again = post(app, "wait=5", key);
    const { status } = watch(again);
    await app.clock.settle();
    expect(status()).toBeUndefined();
    await app.clock.advance(1000);
    const response = await again;
    expect([response.status, response.headers.get("Idempotency-Replayed")]).toEqual([200, "true"]);
    expect(await response.json()).toMatchObject({ id: (await first.json()).id, reply: "hello" });
  });

  test("a list is not waited for", async () => {
    const app = await startApp(slow);
    const headers = { "Content-Type": "application/x-ndjson", Prefer: "wait=5" };
    const response = await app.ask("/api/sessions/a/messages", { body: `{"content":"x"}`, headers });
    expect([response.status, response.headers.get("Preference-Applied")]).toEqual([202, null]);
  });

  test("when the daemon stops, those who wait are answered 202", async () => {
    const app = await startApp(slow);
    const asked = post(app, "wait=60");
    await app.clock.settle();
    app.services.ends.releaseAll();
    expect((await asked).status).toBe(202);
  });
});
