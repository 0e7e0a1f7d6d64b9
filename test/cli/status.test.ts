import { expect, test } from "bun:test";
import { durationText, statusLines, type StatusAnswers } from "../../src/cli/status.ts";

const plain = { style: (_style: unknown, text: string) => text };

function setup(): StatusAnswers {
  return {
    daemon: {
      instanceId: "boot_1",
      pid: 42,
      version: "1.2.3",
      startedAt: "2026-01-01T00:00:00.000Z",
      phase: "serving",
      url: "http://127.0.0.1:4747",
      settingsPath: "/c/settings.json",
      dataDir: "/d",
    },
    status: {
      path: "/c/settings.json",
      revision: 3,
      appliedAt: "2026-01-01T00:00:05.000Z",
      watching: "native",
      problems: [],
      waiting: null,
      notInForce: [],
      pendingRestarts: [],
      held: [],
      rollout: null,
    },
    settings: {
      revision: 3,
      settings: {
        provider: "local",
        daemon: { graceMs: 20_000 },
        providers: { local: { kind: "openai", model: "llama" } },
      },
    },
    stats: {
      activeSessions: 5,
      busySessions: 2,
      pendingMessages: 0,
      oldestPendingMs: null,
      turns: 9,
      tokensToday: 120,
      providers: { local: { state: "ready", inFlight: 2, parks: [] } },
      uptimeMs: 1000,
      rssBytes: 1,
    },
  };
}

test("the status says what is in force, and nothing is wrong where nothing is", () => {
  expect(statusLines(setup(), plain)).toEqual([
    "daemon    Segue 1.2.3, process 42, serving at http://127.0.0.1:4747",
    "settings  revision 3, since 2026-01-01T00:00:05.000Z, from /c/settings.json (native)",
    "provider  local, model llama",
    "sessions  5 in memory, 2 busy",
    "turns     9 done, 120 tokens today",
    "pending   no messages",
  ]);
});

test("the status says what is pending and for how long", () => {
  const { status, stats, ...rest } = setup();
  const lines = statusLines(
    {
      ...rest,
      stats: { ...stats, pendingMessages: 7, oldestPendingMs: 185_000 },
      status: {
        ...status,
        pendingRestarts: [{ session: "notes", reason: "provider_changed", blockedBy: "turn" }],
        rollout: { revision: 3, total: 10, done: 4, state: "running" },
      },
    },
    plain,
  );
  expect(lines.slice(5)).toEqual([
    "pending   7 messages, the oldest for 3 min",
    "restart   notes: provider_changed, after its turn",
    "rollout   revision 3: 4 of 10 sessions, running",
  ]);
});

test("the status says what is wrong, where, and what to do", () => {
  const { status, stats, ...rest } = setup();
  const park = {
    endpoint: "http://127.0.0.1:1",
    model: null,
    reason: "auth",
    until: "2026-01-01T00:15:00.000Z",
    sessions: 2,
  };
  const lines = statusLines(
    {
      ...rest,
      stats: { ...stats, providers: { local: { state: "parked", inFlight: 0, parks: [park] } } },
      status: {
        ...status,
        problems: [{ path: "turn", message: "turn must be an object", line: 4, column: 11 }],
        notInForce: [{ key: "server.port", reason: "the port is in use" }],
        held: [
          {
            provider: "claude",
            model: "m-1",
            reason: "not_found",
            since: "2026-01-01T00:00:06.000Z",
            sessions: 4,
          },
        ],
      },
    },
    plain,
  );
  expect(lines.slice(6)).toEqual([
    "wrong     /c/settings.json:4:11: turn must be an object",
    "wrong     Revision 3 stays in force until the file is well again.",
    "wrong     server.port is not in force: the port is in use",
    "wrong     provider claude, model m-1, is held (not_found) since 2026-01-01T00:00:06.000Z; 4 sessions want it. Check its model and baseUrl.",
    "wrong     provider local is parked (auth) until 2026-01-01T00:15:00.000Z; 2 sessions wait. Check its apiKey.",
  ]);
});

test.each([
  [999, "999 ms"],
  [1000, "1 s"],
  [119_999, "120 s"],
  [120_000, "2 min"],
  [7_200_000, "2 h"],
])("%d milliseconds are %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
