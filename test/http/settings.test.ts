import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { problemOf } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const reload = (app: DaemonApp): Promise<Response> => app.ask("/api/settings/reload", { method: "POST" });
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("GET /api/settings", () => {
  test("shows what is in force, defaults included, and where each value comes from", async () => {
    const app = await startApp({ turn: { maxAttempts: 3 } });
    const response = await app.ask("/api/settings");
    const shown = await response.json();
    expect(shown).toMatchObject({
      revision: 1,
      path: app.settingsPath,
      settings: { provider: "echo", turn: { maxAttempts: 3, retryMs: 2000 }, server: { port: 4747 } },
      sources: { "turn.maxAttempts": { source: "file" }, "turn.retryMs": { source: "default" } },
    });
    expect(response.headers.get("ETag")).toBe(`"1"`);
  });

  test("hides a secret, and shows a reference as it is written", async () => {
    const secret = "sk-4711-very-secret";
    const app = await startApp({
      providers: {
        literal: {
          kind: "openai",
          model: "m",
          baseUrl: `https://me:${secret}@example.invalid`,
          apiKey: secret,
        },
        referred: { kind: "openai", model: "m", apiKey: "$NO_SUCH_VARIABLE" },
      },
    });
    const text = await (await app.ask("/api/settings")).text();
    expect(text).not.toContain(secret);
    expect(JSON.parse(text)).toMatchObject({
      settings: { providers: { literal: { apiKey: "••••" }, referred: { apiKey: "$NO_SUCH_VARIABLE" } } },
      sources: { "providers.referred.apiKey": { source: "file", reference: "env", resolved: false } },
    });
  });

  test("has another ETag for another revision", async () => {
    const app = await startApp();
    await app.edit({ turn: { maxAttempts: 3 } });
    expect((await app.ask("/api/settings")).headers.get("ETag")).toBe(`"2"`);
  });
});

describe("GET /api/settings/file", () => {
  test("shows the file with its comments, secrets masked, and says that it is in force", async () => {
    const app = await startApp();
    writeFileSync(
      app.settingsPath,
      '{ // mine\n "providers": { "openai": { "apiKey": "sk-4711-very-secret" } } }\n',
    );
    await reload(app);
    expect(await app.json("/api/settings/file")).toEqual({
      path: app.settingsPath,
      state: "in_force",
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      text: '{ // mine\n "providers": { "openai": { "apiKey": "••••" } } }\n',
    });
  });

  test("shows a file that was rejected, line for line", async () => {
    const app = await startApp();
    writeFileSync(app.settingsPath, '{\n "turn": { "maxAttempts": 0 },\n "server": { "token": "abc" } }\n');
    await reload(app);
    expect(await app.json("/api/settings/file")).toMatchObject({
      state: "rejected",
      text: '{\n "turn": { "maxAttempts": 0 },\n "server": { "token": "••••" } }\n',
    });
  });

  test("shows an edit that waits, and a file that nobody has looked at yet", async () => {
    const app = await startApp({ reload: { mode: "manual" } });
    const text = '{ "reload": { "mode": "manual" }, "turn": { "retryMs": 7 } }';
    writeFileSync(app.settingsPath, text);
    expect(await app.json("/api/settings/file")).toMatchObject({ state: "unnoticed", text });
    await reload(app);
    expect(await app.json("/api/settings/file")).toMatchObject({ state: "waiting", text });
  });
});

describe("GET /api/settings/status", () => {
  test("says what is in force since when", async () => {
    const app = await startApp();
    expect(await app.json("/api/settings/status")).toEqual({
      path: app.settingsPath,
      revision: 1,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      lastModified: expect.stringMatching(iso),
      appliedAt: "2026-01-01T00:00:00.000Z",
      mode: "auto",
      watching: "native",
      problems: [],
      waiting: null,
      notInForce: [],
      pendingRestarts: [],
      rollout: null,
      held: [],
    });
  });

  test("says what is wrong with a bad edit, and that nothing has changed", async () => {
    const app = await startApp();
    const before = await app.json("/api/settings/status");
    await app.edit(`{\n  "turn": { "maxAttempts": 0 }\n}`);
    expect(await app.json("/api/settings/status")).toEqual({
      ...before,
      problems: [
        { path: "turn.maxAttempts", message: expect.stringMatching(/at least 1/), line: 2, column: 28 },
      ],
    });
  });

  test("lists the sessions whose restart waits for their turn", async () => {
    const app = await startApp({
      provider: "slow",
      providers: { slow: { kind: "echo", model: "m", delayMs: 1000 } },
    });
    await app.post("a", "hello");
    await app.clock.settle();
    await app.edit({ provider: "echo", providers: { slow: { kind: "echo", model: "m", delayMs: 1000 } } });
    expect(await app.json("/api/settings/status")).toMatchObject({
      revision: 2,
      pendingRestarts: [
        {
          session: "a",
          reason: "provider_changed",
          blockedBy: "turn",
          waitingSince: "2026-01-01T00:00:00.000Z",
        },
      ],
    });
    await app.clock.advance(1000);
    expect(await app.json("/api/settings/status")).toMatchObject({ pendingRestarts: [] });
  });
});

describe("POST /api/settings/reload", () => {
  test("reads the file now, and answers once it is in force", async () => {
    const app = await startApp();
    writeFileSync(app.settingsPath, `{ "turn": { "maxAttempts": 3 } }`);
    const response = await reload(app);
    expect([response.status, await response.json()]).toMatchObject([200, { revision: 2, problems: [] }]);
    expect(await app.json("/api/settings")).toMatchObject({ settings: { turn: { maxAttempts: 3 } } });
  });

  test("makes no revision of equal bytes, nor of bytes that mean the same", async () => {
    const app = await startApp({});
    await reload(app);
    writeFileSync(app.settingsPath, `{ "turn": { "maxAttempts": 5 } } // as it was`);
    expect(await (await reload(app)).json()).toMatchObject({ revision: 1 });
  });

  test("of a bad file tells every problem with its place, and keeps what is in force", async () => {
    const app = await startApp();
    writeFileSync(app.settingsPath, `{\n  "provder": "echo",\n  "turn": { "retryMs": "soon" }\n}`);
    const problem = await problemOf(await reload(app));
    expect([problem.status, problem.code]).toEqual([422, "settings_invalid"]);
    expect(problem.errors).toMatchObject([
      { path: "provder", line: 2, column: 3, message: expect.stringContaining("provider") },
      { path: "turn.retryMs", line: 3, column: 24 },
    ]);
    expect(await app.json("/api/settings")).toMatchObject({ revision: 1, settings: { provider: "echo" } });
  });

  test("of a file that is whole again says so", async () => {
    const app = await startApp();
    await app.edit("{");
    expect((await reload(app)).status).toBe(422);
    writeFileSync(app.settingsPath, "{}");
    expect(await (await reload(app)).json()).toMatchObject({ revision: 1, problems: [] });
  });
});
