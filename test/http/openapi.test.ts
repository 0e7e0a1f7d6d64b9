import { afterEach, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import * as fc from "fast-check";
import { createRoutes } from "../../src/http/app.ts";
import { pagePaths } from "../../src/http/routes/dashboard.ts";
import type { Asked } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";
import { calls, undocumented } from "./documented.ts";

afterEach(stopApps);

test("the document is OpenAPI 3.1, and is served to whoever asks", async () => {
  const app = await startApp({ server: { token: "t-1" } });
  const response = await app.ask("/openapi.json");
  const served = await response.json();
  expect(await new Validator().validate(served)).toEqual({ valid: true });
  expect(served).toMatchObject({ openapi: "3.1.0", info: { version: "0.0.0-test" } });
});

test("it names every call that there is, the files of the dashboard aside, and no other", async () => {
  const app = await startApp();
  const served = Object.entries(createRoutes(app.services, "tcp"))
    .filter(([path]) => !pagePaths.includes(path))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
    );
  expect(calls.map(({ name }) => name).toSorted()).toEqual([...new Set(served)].toSorted());
  const ids = calls.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

const post: Asked = { method: "POST" };

/** A request that is good, where it takes more than a GET; `a` is a session with a message that is done. */
const good: Readonly<Record<string, Asked & { to?: string }>> = {
  "POST /api/sessions": { json: { title: "Mine", labels: { project: "x" } } },
  "PATCH /api/sessions/{id}": { method: "PATCH", json: { title: null } },
  "DELETE /api/sessions/{id}": { method: "DELETE" },
  "POST /api/sessions/{id}/restart": { json: { when: "now" } },
  "POST /api/sessions/{id}/messages": { json: { content: "hello" } },
  "PATCH /api/settings": { method: "PATCH", json: { turn: { maxAttempts: 3 } } },
  "PUT /api/settings": { method: "PUT", json: {} },
  "POST /api/settings/rollback": { json: { revision: 1 } },
  "POST /hooks/claude-code": { json: { hook_event_name: "Stop", session_id: "s", cwd: "/tmp" } },
};

async function setUp(app: DaemonApp): Promise<{ done: string; failed: string; pending: string }> {
  await app.edit({
    provider: "command",
    providers: { command: { argv: ["/bin/false"] } },
    turn: { maxAttempts: 1 },
  });
  const failed = await app.done("a", "fails");
  await app.edit({});
  const done = await app.done("a", "hello");
  await app.edit({ providers: { echo: { delayMs: 60_000 } } });
  const pending = await app.post("a", "takes long");
  await app.clock.settle();
  return { done: done.id, failed: failed.id, pending: pending.id };
}

test.each(calls)(
  "$name answers a good request as the document says",
  async ({ name, path, method, operation }) => {
    const app = await startApp();
    const { done, failed, pending } = await setUp(app);
    const message = path.endsWith("/retry") ? failed : path.endsWith("/cancel") ? pending : done;
    const id = path.startsWith("/api/messages/") ? message : "a";
    const asked = good[name] ?? (method === "POST" ? post : {});
    const response = await app.ask(path.replace("{id}", id), asked);
    // Nothing waits to be applied here.
    expect(`${name} ${response.ok}`).toBe(`${name} ${name !== "POST /api/settings/apply"}`);
    expect(await undocumented(operation, response)).toEqual([]);
  },
);

/** Stands in what is sent, and must stand in no refusal. */
const mark = "zq7-sent-in";
const text = fc.oneof(fc.string(), fc.constantFrom("", "a", "-", "..", "%zz", mark, "x".repeat(200), "ä"));
const bodies = fc.oneof(
  fc.json(),
  fc.constantFrom(
    "",
    "{",
    "[]",
    "null",
    '{"a":1,"a":2}',
    '{"__proto__":{}}',
    '{"content":""}',
    '{"id":7}',
    JSON.stringify({ content: [mark], when: mark, title: { mark }, provider: mark }),
  ),
  fc
    .record({ content: fc.anything(), when: fc.anything(), provider: fc.anything() })
    .map((given) => JSON.stringify(given) ?? ""),
);
const types = fc.constantFrom(
  undefined,
  "application/json",
  "text/plain",
  "application/x-ndjson",
  "image/png",
);
const anything = fc.record({
  id: text,
  query: fc.option(fc.webQueryParameters(), { nil: "" }),
  known: fc.option(fc.tuple(fc.constantFrom("limit", "cursor", "state", "label", "after", "type"), text), {
    nil: null,
  }),
  body: bodies,
  type: types,
});

/** Calls that end what is asked next. */
const lasting = new Set(["GET /api/events"]);

test.each(calls.filter(({ name }) => !lasting.has(name)))(
  "$name answers whatever is sent as the document says, and echoes nothing",
  async ({ path, method, operation }) => {
    const app = await startApp();
    await fc.assert(
      fc.asyncProperty(anything, async ({ id, query, known, body, type }) => {
        const extra = known ? `${encodeURIComponent(known[0])}=${encodeURIComponent(known[1])}&` : "";
        const target = `${path.replace("{id}", () => id.replaceAll(/[/?#\\]/g, "_") || "a")}?${extra}${query}`;
        const headers: Record<string, string> = type === undefined ? {} : { "Content-Type": type };
        const sent = method === "GET" ? {} : { body };
        const response = await app.ask(target, { method, headers, ...sent });
        // A path with dots is another path.
        if (response.status === 404 && (await response.clone().json()).code === "not_found") return;
        if (response.status === 405) return;
        if (!response.ok) expect(await response.clone().text()).not.toContain(mark);
        expect(await undocumented(operation, response)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  },
);
