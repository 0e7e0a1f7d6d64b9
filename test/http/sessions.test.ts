import { afterEach, describe, expect, test } from "bun:test";
import { problemOf, refusal } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

function create(app: DaemonApp, json: unknown): Promise<Response> {
  return app.ask("/api/sessions", { json });
}

async function listed(app: DaemonApp, query = ""): Promise<string[]> {
  const { items } = await app.json<{ items: { id: string }[] }>(`/api/sessions${query}`);
  return items.map(({ id }) => id);
}

describe("making a session", () => {
  test("with nothing said it has an id of its own and follows the settings", async () => {
    const app = await startApp();
    const response = await create(app, {});
    expect(response.status).toBe(201);
    const session = await response.json();
    expect(session).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/),
      title: null,
      system: null,
      labels: {},
      state: "idle",
      waitingFor: null,
      waitingUntil: null,
      provider: "echo",
      model: "echo",
      bindingRevision: 1,
      generatorId: expect.stringMatching(/./),
      idleSince: "2026-01-01T00:00:00.000Z",
      inFlight: 0,
      pending: 0,
      pendingRestart: null,
      turns: 0,
      lastInputTokens: null,
      epoch: 1,
      overrides: { provider: null, model: null, mode: null },
      createdAt: "2026-01-01T00:00:00.000Z",
      lastActivityAt: "2026-01-01T00:00:00.000Z",
    });
    expect(response.headers.get("Location")).toBe(`/api/sessions/${session.id}`);
    expect(await app.json(`/api/sessions/${session.id}`)).toEqual(session);
  });

  test("with everything said it is as was said", async () => {
    const app = await startApp({ providers: { other: { kind: "echo", model: "m2" } } });
    const said = { id: "a.b:c_1-D", title: "Notes", system: "Be brief.", labels: { project: "/srv/app" } };
    const response = await create(app, { ...said, provider: "other", model: "m1", mode: "batch" });
    expect(await response.json()).toMatchObject({
      ...said,
      provider: "other",
      model: "m1",
      overrides: { provider: "other", model: "m1", mode: "batch" },
    });
  });

  test("null says nothing, like a field left out", async () => {
    const app = await startApp();
    const nothing = { title: null, system: null, provider: null, model: null, mode: null, labels: null };
    const response = await create(app, { id: "a", ...nothing });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ labels: {}, overrides: { provider: null } });
  });

  test("a model alone pins the provider in force too", async () => {
    const app = await startApp();
    const response = await create(app, { model: "m1" });
    expect(await response.json()).toMatchObject({
      overrides: { provider: "echo", model: "m1" },
      model: "m1",
    });
  });

  test("an id that is taken is refused, and the first session stays as it is", async () => {
    const app = await startApp();
    await create(app, { id: "a", title: "first" });
    expect(await refusal(await create(app, { id: "a", title: "second" }))).toBe("409 session_exists");
    expect(await app.json("/api/sessions/a")).toMatchObject({ title: "first" });
  });

  test.each(["", "-a", ".a", "a b", "a/b", "ä", "a\n", "a".repeat(129)])(
    "no id can be %j (%#)",
    async (id) => {
      const app = await startApp();
      expect(await refusal(await create(app, { id }))).toBe("400 malformed");
      expect(await listed(app)).toEqual([]);
    },
  );

  test("an id may have 128 characters", async () => {
    const app = await startApp();
    const id = "a".repeat(128);
    expect((await create(app, { id })).status).toBe(201);
    expect(await app.json(`/api/sessions/${id}`)).toMatchObject({ id });
  });

  test.each([
    [{ title: 1 }, "title"],
    [{ system: [] }, "system"],
    [{ provider: "" }, "provider"],
    [{ model: 7 }, "model"],
    [{ mode: "both" }, "mode"],
    [{ labels: [] }, "labels"],
    [{ labels: { a: 1 } }, "labels.a"],
    [{ labels: { constructor: "a" } }, "labels"],
    [{ titel: "x" }, "titel"],
    [{ state: "idle" }, "state"],
    [{ title: "half \ud83d" }, "title"],
    [{ system: "half \ude00" }, "system"],
    [{ labels: { a: "half \ud83d" } }, "labels"],
  ])("%j is refused, naming the field", async (json, path) => {
    const app = await startApp();
    const problem = await problemOf(await create(app, json));
    expect([problem.status, problem.code]).toEqual([422, "invalid"]);
    expect(problem.errors?.map((error) => error.path).join()).toStartWith(path);
    expect(await listed(app)).toEqual([]);
  });

  test.each(["null", "[]", "7", `"a"`])("a body that is %s is refused", async (body) => {
    const app = await startApp();
    const response = await app.ask("/api/sessions", {
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(await refusal(response)).toBe("422 invalid");
  });

  test("a provider that cannot be used is refused and not shown", async () => {
    const app = await startApp();
    const problem = await problemOf(await create(app, { id: "a", provider: "sk-marker-4711" }));
    expect([problem.status, problem.code]).toEqual([422, "provider_not_ready"]);
    expect(JSON.stringify(problem)).not.toContain("marker");
    for (const provider of ["gemini", "constructor", "__proto__", "toString"])
      expect(await refusal(await create(app, { id: "a", provider }))).toBe("422 provider_not_ready");
    expect(await refusal(await app.ask("/api/sessions/a"))).toBe("404 session_not_found");
  });
});
