import { afterEach, describe, expect, test } from "bun:test";
import { refusal, type ShownMessage } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const slow = { provider: "slow", providers: { slow: { kind: "echo", model: "m", delayMs: 1000 } } };

interface Listed {
  items: ShownMessage[];
  next: string | null;
}

async function listed(app: DaemonApp, path: string): Promise<string[]> {
  const { items } = await app.json<Listed>(path);
  return items.map(({ session, seq }) => `${session}${seq}`);
}

function cancel(app: DaemonApp, id: string): Promise<Response> {
  return app.ask(`/api/messages/${id}/cancel`, { method: "POST" });
}

/** One message done, one in flight, one cancelled and one pending, in each of two sessions. */
async function mixed(): Promise<DaemonApp> {
  const app = await startApp(slow);
  for (const session of ["a", "b"]) {
    await app.post(session, "done");
    await app.until(async () => (await listed(app, "/api/messages?status=running")).length === 1);
    await app.clock.advance(1000);
  }
  for (const session of ["a", "b"]) {
    await app.post(session, "running");
    const { id } = await app.post(session, "cancelled");
    await app.post(session, "pending");
    await cancel(app, id);
  }
  await app.until(async () => (await listed(app, "/api/messages?status=running")).length === 2);
  return app;
}

describe("a message", () => {
  test("that is done shows what it ran under and what it cost", async () => {
    const app = await startApp();
    const { id } = await app.done("a", "hello there");
    expect(await app.json(`/api/messages/${id}`)).toEqual({
      id,
      session: "a",
      seq: 1,
      content: "hello there",
      status: "done",
      attempts: 1,
      reply: "hello there",
      finish: "stop",
      error: null,
      provider: "echo",
      model: "echo",
      revision: 1,
      fallbackFrom: null,
      usage: { inputTokens: 3, outputTokens: 3, estimated: true },
      repliedBy: null,
      retryOf: null,
      createdAt: "2026-01-01T00:00:00.000Z",
      startedAt: "2026-01-01T00:00:00.000Z",
      finishedAt: "2026-01-01T00:00:00.000Z",
    });
  });

  test("between two attempts is pending with its last error, and its session waits", async () => {
    const app = await startApp({
      provider: "command",
      providers: { command: { argv: ["/bin/sh", "-c", "echo out of order >&2; exit 1"] } },
    });
    const { id } = await app.post("a", "hello");
    await app.until(async () => (await app.json("/api/sessions/a"))["state"] === "waiting");
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({
      status: "pending",
      attempts: 1,
      error: { kind: "overloaded", message: expect.stringContaining("out of order") },
      startedAt: null,
      finishedAt: null,
    });
    expect(await app.json("/api/sessions/a")).toMatchObject({
      waitingFor: "retry",
      waitingUntil: "2026-01-01T00:00:02.000Z",
      pending: 1,
      inFlight: 0,
    });
  });

  test("that is not there is not found", async () => {
    const app = await startApp();
    expect(await refusal(await app.ask("/api/messages/msg_none"))).toBe("404 message_not_found");
    expect(await refusal(await cancel(app, "msg_none"))).toBe("404 message_not_found");
    expect(await refusal(await app.ask("/api/messages/a%20b"))).toBe("400 malformed");
  });
});

describe("cancelling", () => {
  test("a pending message ends it; those after it go on", async () => {
    const app = await startApp(slow);
    await app.post("a", "first");
    const { id } = await app.post("a", "second");
    const third = await app.post("a", "third");
    const response = await cancel(app, id);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id, status: "cancelled", reply: null });
    await app.clock.advance(1000);
    await app.clock.advance(1000);
    expect(await app.json(`/api/messages/${third.id}`)).toMatchObject({ status: "done" });
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "cancelled", startedAt: null });
  });

  test("a message in flight aborts its turn at once; the session goes on", async () => {
    const app = await startApp(slow);
    const { id } = await app.post("a", "first");
    await app.post("a", "second");
    await app.clock.advance(500);
    await cancel(app, id);
    await app.clock.advance(999);
    expect(await listed(app, "/api/messages?status=running")).toEqual(["a2"]);
    await app.clock.advance(1);
    expect(await listed(app, "/api/messages?status=done")).toEqual(["a2"]);
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "cancelled", reply: null });
    expect(await app.json("/api/stats")).toMatchObject({ turns: 1 });
  });

  test("a message that has ended is refused, and it stays as it is", async () => {
    const app = await startApp();
    const { id } = await app.done("a", "hello");
    expect(await refusal(await cancel(app, id))).toBe("409 wrong_status");
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "done", reply: "hello" });
    const other = await startApp(slow);
    const pending = await other.post("a", "hello");
    expect((await cancel(other, pending.id)).status).toBe(200);
    expect(await refusal(await cancel(other, pending.id))).toBe("409 wrong_status");
  });
});

describe("listing messages", () => {
  test("of a session they come by seq, of all sessions as they were accepted", async () => {
    const app = await mixed();
    expect(await listed(app, "/api/sessions/a/messages")).toEqual(["a1", "a2", "a3", "a4"]);
    const all = ["a1", "b1", "a2", "a3", "a4", "b2", "b3", "b4"];
    expect(await listed(app, "/api/messages")).toEqual(all);
  });

  test.each([
    ["done", "1"],
    ["running", "2"],
    ["cancelled", "3"],
    ["pending", "4"],
  ])("those that are %s are found", async (status, seq) => {
    const app = await mixed();
    expect(await listed(app, `/api/sessions/b/messages?status=${status}`)).toEqual([`b${seq}`]);
    expect(await listed(app, `/api/messages?status=${status}`)).toEqual([`a${seq}`, `b${seq}`]);
  });

  test("those that failed are found", async () => {
    const argv = ["/bin/false"];
    const app = await startApp({
      provider: "command",
      providers: { command: { argv } },
      turn: { maxAttempts: 1 },
    });
    expect(await app.done("a", "hello")).toMatchObject({ status: "failed" });
    expect(await listed(app, "/api/messages?status=failed")).toEqual(["a1"]);
  });

  test("pages meet; `after` leaves out what comes before, on every page", async () => {
    const app = await mixed();
    const path = "/api/sessions/a/messages?limit=1&after=1&status=";
    expect(await listed(app, `${path}cancelled`)).toEqual(["a3"]);
    const seen: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const more = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Listed = await app.json(`/api/sessions/a/messages?limit=2&after=1${more}`);
      seen.push(...page.items.map(({ seq }) => seq));
      cursor = page.next;
    }
    expect(seen).toEqual([2, 3, 4]);
  });

  test.each([
    "status=open",
    "status=",
    "after=-1",
    "after=x",
    "limit=0",
    "limit=1001",
    "cursor=%00",
    "order=asc",
  ])("?%s is refused", async (query) => {
    const app = await startApp();
    await app.post("a", "hello");
    expect(await refusal(await app.ask(`/api/sessions/a/messages?${query}`))).toBe("400 malformed");
  });

  test("over all sessions there is no `after`", async () => {
    const app = await startApp();
    expect(await refusal(await app.ask("/api/messages?after=1"))).toBe("400 malformed");
  });

  test("of a session that is not there there is no list", async () => {
    const app = await startApp();
    expect(await refusal(await app.ask("/api/sessions/a/messages"))).toBe("404 session_not_found");
    expect(await app.json("/api/messages")).toEqual({ items: [], next: null });
  });
});
