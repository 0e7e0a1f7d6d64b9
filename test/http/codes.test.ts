import { afterAll, afterEach, expect, test } from "bun:test";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Asked, problemOf } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";
import { calls, documentedCodes, undocumented } from "./documented.ts";

afterEach(stopApps);

const inbox = "/api/sessions/a/messages";
const patch = (json: object, headers: Record<string, string> = {}): Asked => ({
  method: "PATCH",
  json,
  headers,
});
const small = patch({ turn: { maxAttempts: 3 } });

/** Brings one refusal about: what is asked, after what was done before. */
interface Way {
  settings?: Record<string, unknown>;
  before?: (app: DaemonApp) => unknown;
  ask: [string, Asked?];
  after?: (app: DaemonApp) => unknown;
}

/** For each code of the interface (contract section 5) a way to be refused with it. */
const ways: Readonly<Record<string, Way>> = {
  malformed: { ask: ["/api/sessions/-"] },
  unauthorized: { settings: { server: { token: "a-token-of-some-length" } }, ask: ["/api/stats"] },
  forbidden_host: { ask: ["/healthz", { headers: { Host: "example.com" } }] },
  forbidden_origin: { ask: ["/readyz", { headers: { Origin: "http://example.com" } }] },
  token_required: { ask: ["/api/settings", patch({ turn: { system: "$HOME" } })] },
  session_not_found: { ask: ["/api/sessions/none"] },
  message_not_found: { ask: ["/api/messages/none"] },
  revision_not_found: { ask: ["/api/settings/rollback", { json: { revision: 99 } }] },
  not_found: { ask: ["/api/nothing"] },
  method_not_allowed: { ask: ["/api/stats", { method: "DELETE" }] },
  session_exists: {
    before: (app) => app.json("/api/sessions", { json: { id: "a" } }),
    ask: ["/api/sessions", { json: { id: "a" } }],
  },
  idempotency_conflict: {
    before: (app) => app.post("a", "one", { "Idempotency-Key": "k" }),
    ask: [inbox, { json: { content: "other" }, headers: { "Idempotency-Key": "k" } }],
  },
  wrong_status: {
    before: async (app) => app.json("/api/sessions/a/messages", { json: { content: "x" } }),
    ask: ["/api/messages/MESSAGE/retry", { method: "POST" }],
  },
  legacy_settings: { settings: { CLAUDE_MEM_PROVIDER: "claude" }, ask: ["/api/settings", small] },
  edits_waiting: {
    settings: { reload: { mode: "manual" } },
    before: (app) => app.edit({ reload: { mode: "manual" }, turn: { maxAttempts: 2 } }),
    ask: ["/api/settings", small],
  },
  nothing_waiting: { ask: ["/api/settings/apply", { method: "POST" }] },
  settings_file_invalid: { before: (app) => app.edit("{ broken"), ask: ["/api/settings", small] },
  settings_not_writable: {
    before: (app) => {
      // The name of the file that would replace it is longer than a name may be.
      const long = join(dirname(app.settingsPath), "s".repeat(250));
      writeFileSync(long, "{}");
      rmSync(app.settingsPath);
      symlinkSync(long, app.settingsPath);
    },
    ask: ["/api/settings", small],
  },
  revision_conflict: { ask: ["/api/settings", patch({}, { "If-Match": '"99"' })] },
  too_large: { ask: [inbox, { json: { content: "x".repeat(2 * 1024 * 1024) } }] },
  unsupported_media_type: { ask: [inbox, { body: "x", headers: { "Content-Type": "image/png" } }] },
  invalid: { ask: [inbox, { json: { content: 7 } }] },
  settings_invalid: { ask: ["/api/settings", patch({ turn: { maxAttempts: 0 } })] },
  provider_not_ready: { ask: ["/api/sessions", { json: { provider: "none" } }] },
  too_many_pending: {
    settings: { limits: { maxPendingPerSession: 1 }, providers: { echo: { delayMs: 60_000 } } },
    before: async (app) => {
      await app.post("a", "in flight");
      await app.clock.settle();
      await app.post("a", "pending");
    },
    ask: [inbox, { json: { content: "one more" } }],
  },
  internal: {
    before: (app) => {
      app.services.store.totals = () => Promise.reject(new Error("a bug"));
    },
    ask: ["/api/stats"],
    after: (app) => void app.faults.splice(0),
  },
  starting: { before: (app) => (app.phase = "starting"), ask: ["/readyz"] },
  draining: { before: (app) => (app.phase = "draining"), ask: ["/readyz"] },
  storage: {
    before: async (app) => {
      const makeRoom = app.fillDisk();
      await app.ask(inbox, { json: { content: "x".repeat(500_000) } });
      return makeRoom;
    },
    ask: ["/readyz"],
    after: (app) => app.clock.advance(1000),
  },
  storage_full: {
    before: (app) => app.fillDisk(),
    ask: [inbox, { json: { content: "x".repeat(500_000) } }],
    after: (app) => app.clock.advance(1000),
  },
};

const reached = new Set<string>();

test.each(Object.entries(ways))("%s can be met, and is as the document says", async (code, way) => {
  const app = await startApp(way.settings);
  const undo = await way.before?.(app);
  const [path, asked = {}] = way.ask;
  const { items } = await app
    .json<{ items?: { id: string }[] }>("/api/messages")
    .catch(() => ({ items: [] }));
  const response = await app.ask(path.replace("MESSAGE", items?.at(-1)?.id ?? "none"), asked);
  const problem = await problemOf(response.clone());
  expect(problem.code).toBe(code);
  const call = calls.find(
    ({ name }) =>
      name === `${asked.method ?? ((asked.json ?? asked.body) ? "POST" : "GET")} ${templateOf(path)}`,
  );
  // What is at no path, or by no method of a path, is no call of the document.
  if (call) expect(await undocumented(call.operation, response)).toEqual([]);
  else expect(["not_found", "method_not_allowed"]).toContain(code);
  if (["too_many_pending", "starting", "draining", "storage"].includes(code))
    expect(response.headers.get("Retry-After")).toMatch(/^\d+$/);
  reached.add(code);
  if (typeof undo === "function") undo();
  await way.after?.(app);
});

function templateOf(path: string): string {
  return path.replace(/^\/api\/(sessions|messages)\/[^/]+/, "/api/$1/{id}");
}

/** What the contract names; the rest of what is documented has to be among it. */
const named = `malformed unauthorized forbidden_host forbidden_origin token_required session_not_found
  message_not_found revision_not_found not_found method_not_allowed session_exists idempotency_conflict wrong_status
  legacy_settings edits_waiting nothing_waiting settings_file_invalid settings_not_writable revision_conflict too_large
  unsupported_media_type invalid settings_invalid provider_not_ready too_many_pending starting draining storage
  storage_full`.split(/\s+/);

afterAll(() => {
  const wanted = new Set([...documentedCodes, ...named]);
  const unreached = [...wanted].filter((code) => !reached.has(code));
  console.log(`${reached.size} of ${wanted.size} codes met; not met: ${unreached.join(", ") || "none"}`);
});

test("none that is documented is left out", () => {
  const wanted = new Set([...documentedCodes, ...named]);
  expect([...wanted].filter((code) => !(code in ways))).toEqual([]);
  expect(Object.keys(ways).filter((code) => code !== "internal" && !named.includes(code))).toEqual([]);
  expect(named.filter((code) => !documentedCodes.has(code))).toEqual(["not_found", "method_not_allowed"]);
});
