import { afterEach, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type Asked, problemOf, refusal } from "./asking.ts";
import { startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

/** Every path that is served, and what may be done there. */
const paths: [string, string][] = [
  ["/api/sessions", "GET, HEAD, POST"],
  ["/api/sessions/a", "DELETE, GET, HEAD, PATCH"],
  ["/api/sessions/a/restart", "POST"],
  ["/api/sessions/a/messages", "GET, HEAD, POST"],
  ["/api/messages", "GET, HEAD"],
  ["/api/messages/m", "GET, HEAD"],
  ["/api/messages/m/cancel", "POST"],
  ["/api/events", "GET, HEAD"],
  ["/api/settings/status", "GET, HEAD"],
  ["/api/settings/reload", "POST"],
  ["/api/settings/release", "POST"],
  ["/api/stats", "GET, HEAD"],
  ["/api/daemon", "GET, HEAD"],
  ["/api/daemon/restart", "POST"],
  ["/api/daemon/stop", "POST"],
  ["/healthz", "GET, HEAD"],
  ["/readyz", "GET, HEAD"],
];

const allowOf = (response: Response): string =>
  (response.headers.get("Allow") ?? "").split(", ").toSorted().join(", ");

describe("what cannot be answered", () => {
  test.each([
    "/api",
    "/api/",
    "/api/session",
    "/api/sessions/",
    "/api/sessions/a/b",
    "/API/sessions",
    "/favicon.ico",
  ])("there is nothing at %s", async (path) => {
    const app = await startApp();
    expect(await refusal(await app.ask(path))).toBe("404 not_found");
    expect(await refusal(await app.ask(path, { json: {} }))).toBe("404 not_found");
  });

  test.each(paths)("at %s a method that it does not take is told which it takes", async (path, allowed) => {
    const app = await startApp();
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
      if (!allowed.includes(method)) {
        const response = await app.ask(path, { method });
        expect(allowOf(response)).toBe(allowed);
        expect(await refusal(response)).toBe("405 method_not_allowed");
      }
  });

  test("HEAD is answered like GET, without a body, and leaves nothing open", async () => {
    const app = await startApp();
    await app.done("a", "hello");
    for (const path of ["/api/stats", "/api/sessions/a", "/healthz", "/api/events?session=a"]) {
      const response = await app.ask(path, { method: "HEAD" });
      expect([path, response.status, await response.text()]).toEqual([path, 200, ""]);
    }
    expect(app.services.streams.subscribersOf("a")).toBe(0);
    expect(await (await app.ask("/api/sessions/none", { method: "HEAD" })).text()).toBe("");
  });

  test("a problem says what is wrong: type, title, status, detail and code", async () => {
    const app = await startApp();
    expect(await problemOf(await app.ask("/api/sessions/none"))).toEqual({
      type: expect.stringMatching(/session_not_found$/),
      title: "Session not found",
      status: 404,
      detail: expect.stringMatching(/./),
      code: "session_not_found",
    });
  });

  test("a foreign host gets a problem too", async () => {
    const app = await startApp();
    const response = await app.ask("/api/stats", { headers: { Host: "example.com" } });
    expect(await refusal(response)).toBe("403 forbidden_host");
    const post = { json: { content: "x" }, headers: { Origin: "http://example.com" } };
    expect(await refusal(await app.ask("/api/sessions/a/messages", post))).toBe("403 forbidden_origin");
    expect(await app.json("/api/messages")).toMatchObject({ items: [] });
  });

  test("a token is asked for by the book, from the moment on in which it is set", async () => {
    const app = await startApp();
    await app.edit({ server: { token: "a-token-of-some-length" } });
    const response = await app.ask("/api/stats");
    expect(response.headers.get("WWW-Authenticate")).toStartWith("Bearer");
    expect(await refusal(response)).toBe("401 unauthorized");
    const headers = { Authorization: "Bearer a-token-of-some-length" };
    expect((await app.ask("/api/stats", { headers })).status).toBe(200);
    expect((await app.ask("/healthz")).status).toBe(200);
    expect((await app.askOnSocket("/api/stats")).status).toBe(200);
  });

  test("a bug is a problem that says nothing of it, and is told where bugs are told", async () => {
    const app = await startApp();
    const { store } = app.services;
    store.totals = () => Promise.reject(new Error("a marker of a bug"));
    const problem = await problemOf(await app.ask("/api/stats"));
    expect([problem.status, problem.code]).toEqual([500, "internal"]);
    expect(JSON.stringify(problem)).not.toContain("marker");
    expect(app.faults.splice(0)).toMatchObject([{ message: "a marker of a bug" }]);
  });
});

describe("what is answered", () => {
  test("may not be sniffed, and is for no other origin", async () => {
    const app = await startApp();
    await app.done("a", "hello");
    const answers = [
      await app.ask("/api/stats"),
      await app.ask("/api/sessions/a"),
      await app.ask("/api/sessions", { json: {} }),
      await app.ask("/api/sessions/a", { method: "DELETE" }),
      await app.ask("/healthz"),
      await app.ask("/api/events"),
      await app.ask("/nothing"),
    ];
    for (const { headers, body } of answers) {
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(headers.get("Access-Control-Allow-Origin")).toBeNull();
      await body?.cancel();
    }
  });
});

const marker = "sk-Marker4711";
const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) => JSON.stringify(value).replaceAll(/[a-zA-Z]{4}/g, marker));
const media = fc.constantFrom(
  "application/json",
  "text/plain",
  "application/x-ndjson",
  "application/merge-patch+json",
  "text/html",
);
const asked = fc.record({
  path: fc.constantFrom(...paths.map(([path]) => path), "/api/sessions/none", "/nothing"),
  query: fc.constantFrom(
    "",
    `?${marker}=1`,
    `?limit=${marker}`,
    `?cursor=${marker}`,
    `?status=${marker}`,
    "?limit=2",
  ),
  method: fc.constantFrom("GET", "POST", "PATCH", "DELETE", "PUT"),
  media,
  body: fc.oneof(
    json,
    fc.constantFrom("", "{", `{"content":${marker}}`, `{"title":"${marker}","mode":"${marker}"}`),
  ),
});

test("whatever is asked is answered, never as a bug, and a refusal shows nothing of the values that were sent", async () => {
  const app = await startApp();
  await app.done("a", "hello");
  await fc.assert(
    fc.asyncProperty(asked, async ({ path, query, method, media, body }) => {
      const how: Asked = { method, headers: { "Content-Type": media } };
      const response = await app.ask(path + query, method === "GET" ? { method } : { ...how, body });
      expect(response.status).toBeLessThan(500);
      if (response.status < 400) return response.body?.cancel();
      const { errors, ...problem } = await problemOf(response);
      expect(JSON.stringify(problem)).not.toContain(marker);
      for (const { message } of errors ?? []) expect(message).not.toContain(marker);
    }),
    { numRuns: 300 },
  );
});

test.each([
  "/api/messages/none/cancel",
  "/api/messages/none/retry",
  "/api/sessions/none/retry",
  "/api/settings/reload",
  "/api/settings/apply",
  "/api/settings/release",
  "/api/daemon/stop",
  "/api/daemon/checkpoint",
])("POST %s takes nothing: an unknown field is told, and nothing is done", async (path) => {
  const app = await startApp();
  const problem = await problemOf(await app.ask(path, { json: { force: true } }));
  expect(problem).toMatchObject({ status: 422, code: "invalid", errors: [{ path: "force" }] });
  expect(
    await refusal(await app.ask(path, { body: "{", headers: { "Content-Type": "application/json" } })),
  ).toBe("400 malformed");
  expect(app.orders).toEqual([]);
  const answers = [await app.ask(path, { json: {} }), await app.ask(path, { method: "POST" })];
  expect(answers[0]?.status).toBe(answers[1]?.status);
  for (const { body } of answers) await body?.cancel();
});
