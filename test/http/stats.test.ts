import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../support/ports.ts";
import { refusal } from "./asking.ts";
import { startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const slow = { kind: "echo", model: "m", delayMs: 1000 };

describe("GET /api/stats", () => {
  test("of a daemon that has done nothing says so", async () => {
    const app = await startApp();
    expect(await app.json("/api/stats")).toEqual({
      activeSessions: 0,
      busySessions: 0,
      pendingMessages: 0,
      oldestPendingMs: null,
      lastTurnAt: null,
      turns: 0,
      tokensToday: 0,
      providers: Object.fromEntries(
        ["claude", "gemini", "openai", "command", "echo"].map((name) => [
          name,
          { state: "ready", inFlight: 0, parks: [] },
        ]),
      ),
      uptimeMs: 0,
      rssBytes: expect.any(Number),
    });
  });

  test("counts what is in memory, at work, pending and done", async () => {
    const app = await startApp({ providers: { slow } });
    await app.done("done", "12345678");
    await app.ask("/api/sessions", { json: { id: "a", provider: "slow" } });
    await app.clock.advance(500);
    await app.post("a", "first");
    await app.clock.settle();
    await app.post("a", "second");
    await app.clock.advance(100);
    expect(await app.json("/api/stats")).toMatchObject({
      activeSessions: 2,
      busySessions: 1,
      pendingMessages: 1,
      oldestPendingMs: 100,
      lastTurnAt: "2026-01-01T00:00:00.000Z",
      turns: 1,
      tokensToday: 4,
      providers: { slow: { state: "ready", inFlight: 1 }, echo: { inFlight: 0 } },
      uptimeMs: 600,
    });
  });

  test("tokens are those of the UTC day", async () => {
    const app = await startApp();
    await app.done("a", "12345678");
    await app.clock.advance(24 * 60 * 60 * 1000);
    expect(await app.json("/api/stats")).toMatchObject({ tokensToday: 0, turns: 1 });
  });

  test("a session that is unloaded is not in memory", async () => {
    const app = await startApp({ sessions: { idleUnloadMs: 5000 } });
    await app.done("a", "hello");
    expect(await app.json("/api/stats")).toMatchObject({ activeSessions: 1 });
    await app.clock.advance(10_000);
    expect(await app.json("/api/stats")).toMatchObject({ activeSessions: 0 });
  });

  test("a provider that cannot be reached is shown as parked, with who waits for it", async () => {
    const baseUrl = `http://127.0.0.1:${await freePort()}`;
    const providers = { gone: { kind: "openai", model: "m", baseUrl } };
    const app = await startApp({ provider: "gone", providers, reload: { guard: "off" } });
    await app.post("a", "hello");
    await app.until(async () => (await app.json("/api/sessions/a"))["state"] === "waiting");
    const stats = await app.json<{ providers: Record<string, unknown> }>("/api/stats");
    expect(stats.providers["gone"]).toEqual({
      state: "parked",
      inFlight: 0,
      parks: [
        {
          endpoint: baseUrl,
          model: null,
          reason: "unreachable",
          since: "2026-01-01T00:00:00.000Z",
          until: "2026-01-01T00:00:02.000Z",
          sessions: 1,
        },
      ],
    });
    expect(await app.json("/api/sessions/a")).toMatchObject({ waitingFor: "unreachable", pending: 1 });
  });
});

describe("the daemon itself", () => {
  test("says who it is", async () => {
    const app = await startApp();
    expect(await app.json("/api/daemon")).toEqual({
      instanceId: expect.stringMatching(/./),
      pid: process.pid,
      version: "0.0.0-test",
      startedAt: "2026-01-01T00:00:00.000Z",
      phase: "serving",
      url: "http://127.0.0.1:4747",
      settingsPath: app.settingsPath,
      dataDir: expect.stringMatching(/data$/),
      lastRestart: null,
    });
  });

  test("is told to stop and to restart, and answers at once", async () => {
    const app = await startApp();
    expect((await app.ask("/api/daemon/stop", { method: "POST" })).status).toBe(202);
    expect((await app.ask("/api/daemon/restart", { method: "POST" })).status).toBe(202);
    expect((await app.ask("/api/daemon/restart", { json: {} })).status).toBe(202);
    expect(app.orders).toEqual(["stop", "restart", "restart"]);
  });

  test("is not told to restart by a body that it does not understand", async () => {
    const app = await startApp();
    expect(await refusal(await app.ask("/api/daemon/restart", { json: { now: true } }))).toBe("422 invalid");
    expect(await refusal(await app.ask("/api/daemon/restart", { json: [] }))).toBe("422 invalid");
    expect(app.orders).toEqual([]);
  });

  test("is alive in every phase, and ready when it serves", async () => {
    const app = await startApp();
    expect((await app.ask("/healthz")).status).toBe(200);
    expect((await app.ask("/readyz")).status).toBe(200);
    for (const phase of ["starting", "draining"] as const) {
      app.phase = phase;
      expect((await app.ask("/healthz")).status).toBe(200);
      const response = await app.ask("/readyz");
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect(await refusal(response)).toBe(`503 ${phase}`);
    }
  });

  test("while it drains it takes messages as always", async () => {
    const app = await startApp();
    app.phase = "draining";
    expect((await app.ask("/api/sessions/a/messages", { json: { content: "x" } })).status).toBe(202);
  });
});
