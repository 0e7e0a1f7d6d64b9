import { afterEach, describe, expect, test } from "bun:test";
import { problemOf, refusal } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** An echo that takes its time, so that a turn is in flight for as long as a test wants. */
const slow = { provider: "slow", providers: { slow: { kind: "echo", model: "slow", delayMs: 1000 } } };

function create(app: DaemonApp, json: unknown): Promise<Response> {
  return app.ask("/api/sessions", { json });
}

function patch(app: DaemonApp, id: string, json: unknown): Promise<Response> {
  return app.ask(`/api/sessions/${id}`, { method: "PATCH", json });
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

describe("changing a session", () => {
  test("what is named changes, what is null goes, the rest stays", async () => {
    const app = await startApp();
    await create(app, { id: "a", title: "old", system: "Be brief.", labels: { keep: "1", drop: "2" } });
    const json = { title: "new", system: null, labels: { drop: null, added: "3" } };
    const response = await patch(app, "a", json);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      title: "new",
      system: null,
      labels: { keep: "1", added: "3" },
    });
    expect(await (await patch(app, "a", { labels: null })).json()).toMatchObject({
      title: "new",
      labels: {},
    });
    expect(await (await patch(app, "a", {})).json()).toMatchObject({ title: "new" });
  });

  test("it may come as a merge patch", async () => {
    const app = await startApp();
    await create(app, { id: "a" });
    const response = await app.ask("/api/sessions/a", {
      method: "PATCH",
      json: { title: "new" },
      headers: { "Content-Type": "application/merge-patch+json; charset=utf-8" },
    });
    expect(await response.json()).toMatchObject({ title: "new" });
  });

  test("another provider is taken at the boundary: an idle session has it at once", async () => {
    const app = await startApp({ providers: { other: { kind: "echo", model: "m2" } } });
    await create(app, { id: "a" });
    await patch(app, "a", { provider: "other" });
    await app.clock.settle();
    expect(await app.json("/api/sessions/a")).toMatchObject({
      provider: "other",
      model: "m2",
      state: "idle",
      pendingRestart: null,
    });
  });

  test("a turn in flight ends as it began; until then the restart is shown as pending", async () => {
    const app = await startApp({
      ...slow,
      providers: { ...slow.providers, other: { kind: "echo", model: "m2" } },
    });
    const { id } = await app.post("a", "first");
    await app.clock.settle();
    const patched = await patch(app, "a", { provider: "other" });
    expect(await patched.json()).toMatchObject({
      state: "busy",
      inFlight: 1,
      provider: "slow",
      overrides: { provider: "other" },
      pendingRestart: {
        reason: "provider_changed",
        blockedBy: "turn",
        requestedAt: expect.stringMatching(iso),
      },
    });
    await app.clock.advance(1000);
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "done", provider: "slow" });
    expect(await app.done("a", "second")).toMatchObject({ provider: "other" });
    expect(await app.json("/api/sessions/a")).toMatchObject({ provider: "other", pendingRestart: null });
  });

  test("a model alone pins the provider in force; taking the provider away takes the model too", async () => {
    const app = await startApp();
    await create(app, { id: "a" });
    const overrides = async (json: unknown): Promise<unknown> =>
      (await (await patch(app, "a", json)).json()).overrides;
    expect(await overrides({ model: "m1" })).toEqual({ provider: "echo", model: "m1", mode: null });
    expect(await overrides({ mode: "batch" })).toEqual({ provider: "echo", model: "m1", mode: "batch" });
    expect(await overrides({ model: null })).toEqual({ provider: "echo", model: null, mode: "batch" });
    expect(await overrides({ model: "m2" })).toEqual({ provider: "echo", model: "m2", mode: "batch" });
    expect(await overrides({ provider: null })).toEqual({ provider: null, model: null, mode: "batch" });
  });

  test("a session that is not there cannot be changed", async () => {
    const app = await startApp();
    expect(await refusal(await patch(app, "a", { title: "x" }))).toBe("404 session_not_found");
  });

  const wrong: [unknown][] = [
    [{ title: 1 }],
    [{ id: "b" }],
    [{ labels: "x" }],
    [{ labels: { a: 1 } }],
    [{ labels: ["a"] }],
    [{ mode: "x" }],
    [{ system: "half \ud83d" }],
    [[]],
    [null],
  ];

  test.each(wrong)("%j is refused", async (json) => {
    const app = await startApp();
    await create(app, { id: "a", title: "t" });
    expect(await refusal(await patch(app, "a", json))).toBe("422 invalid");
    expect(await app.json("/api/sessions/a")).toMatchObject({ title: "t", labels: {} });
  });

  test("a provider that cannot be used is refused", async () => {
    const app = await startApp();
    await create(app, { id: "a" });
    expect(await refusal(await patch(app, "a", { provider: "nobody" }))).toBe("422 provider_not_ready");
    expect(await app.json("/api/sessions/a")).toMatchObject({ overrides: { provider: null } });
  });
});

describe("deleting a session", () => {
  test("it and all that is in it is gone", async () => {
    const app = await startApp();
    const message = await app.done("a", "hello");
    const response = await app.ask("/api/sessions/a", { method: "DELETE" });
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(await refusal(await app.ask("/api/sessions/a"))).toBe("404 session_not_found");
    expect(await refusal(await app.ask(`/api/messages/${message.id}`))).toBe("404 message_not_found");
    expect(await refusal(await app.ask("/api/sessions/a/messages"))).toBe("404 session_not_found");
    expect(await refusal(await app.ask("/api/sessions/a", { method: "DELETE" }))).toBe(
      "404 session_not_found",
    );
  });

  test("a turn in flight is aborted and changes nothing any more", async () => {
    const app = await startApp(slow);
    await app.post("a", "hello");
    await app.clock.settle();
    await app.ask("/api/sessions/a", { method: "DELETE" });
    await app.post("a", "again");
    await app.clock.advance(1000);
    const { items } = await app.json<{ items: unknown[] }>("/api/sessions/a/messages");
    expect(items).toMatchObject([{ seq: 1, content: "again", status: "done" }]);
    expect(await app.json("/api/stats")).toMatchObject({ turns: 1, providers: { slow: { inFlight: 0 } } });
  });
});

describe("restarting a session", () => {
  const restart = (app: DaemonApp, asked: object = {}): Promise<Response> =>
    app.ask("/api/sessions/a/restart", { method: "POST", ...asked });

  test("an idle session gets another generator at once, and keeps all else", async () => {
    const app = await startApp();
    await app.done("a", "hello");
    await app.clock.settle();
    const before = await app.json("/api/sessions/a");
    expect(await (await restart(app)).json()).toEqual({ applied: "now" });
    await app.clock.settle();
    const after = await app.json("/api/sessions/a");
    expect(after["generatorId"]).not.toBe(before["generatorId"]);
    expect(after).toEqual({ ...before, generatorId: after["generatorId"], idleSince: after["idleSince"] });
  });

  test("a busy session gets it at the boundary; its turn ends as it began", async () => {
    const app = await startApp(slow);
    const { id } = await app.post("a", "hello");
    await app.clock.settle();
    const { generatorId } = await app.json("/api/sessions/a");
    const response = await restart(app, { json: { when: "boundary" } });
    expect([response.status, await response.json()]).toEqual([200, { applied: "at_boundary" }]);
    expect(await app.json("/api/sessions/a")).toMatchObject({
      generatorId,
      pendingRestart: { reason: "requested", blockedBy: "turn" },
    });
    await app.clock.advance(1000);
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "done", attempts: 1 });
    expect((await app.json("/api/sessions/a"))["generatorId"]).not.toBe(generatorId);
  });

  test("now aborts the turn; its message is put back uncounted and taken again", async () => {
    const app = await startApp(slow);
    const { id } = await app.post("a", "hello");
    await app.clock.advance(900);
    expect(await (await restart(app, { json: { when: "now" } })).json()).toEqual({ applied: "now" });
    await app.clock.advance(900);
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "running", attempts: 1 });
    await app.clock.advance(100);
    expect(await app.json(`/api/messages/${id}`)).toMatchObject({ status: "done", seq: 1, attempts: 1 });
  });

  test("one that is not there is not restarted, nor at another time", async () => {
    const app = await startApp();
    expect(await refusal(await restart(app))).toBe("404 session_not_found");
    await create(app, { id: "a" });
    expect(await refusal(await restart(app, { json: { when: "later" } }))).toBe("422 invalid");
    expect(await refusal(await restart(app, { json: { now: true } }))).toBe("422 invalid");
  });
});

describe("listing sessions", () => {
  async function setup(): Promise<DaemonApp> {
    const app = await startApp();
    for (const id of ["a", "b", "c", "d", "e"])
      await create(app, { id, labels: { project: id < "c" ? "x" : "y:z", id } });
    return app;
  }

  test("they come newest first, 100 of them unless it is said", async () => {
    const app = await setup();
    expect(await app.json("/api/sessions")).toMatchObject({ next: null });
    expect(await listed(app)).toEqual(["e", "d", "c", "b", "a"]);
    for (let made = 0; made < 100; made++) await create(app, {});
    expect(await listed(app)).toHaveLength(100);
    expect(await listed(app, "?limit=1000")).toHaveLength(105);
  });

  test("pages meet, and the last one has nothing after it", async () => {
    const app = await setup();
    const first = await app.json<{ items: { id: string }[]; next: string }>("/api/sessions?limit=2");
    const second = await app.json<typeof first>(
      `/api/sessions?limit=3&cursor=${encodeURIComponent(first.next)}`,
    );
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(["e", "d", "c", "b", "a"]);
    expect(second.next).toBeNull();
  });

  test("a label is told by key and value; the value may have a colon", async () => {
    const app = await setup();
    expect(await listed(app, "?label=project:x")).toEqual(["b", "a"]);
    expect(await listed(app, "?label=project:y:z")).toEqual(["e", "d", "c"]);
    expect(await listed(app, "?label=project:y")).toEqual([]);
    expect(await listed(app, "?label=project:")).toEqual([]);
  });

  test("a state is that of the moment", async () => {
    const app = await startApp({ ...slow, sessions: { idleUnloadMs: 5000 } });
    await create(app, { id: "unloaded" });
    await app.clock.advance(10_000);
    await create(app, { id: "idle" });
    await app.post("busy", "hello");
    await app.clock.settle();
    expect(await listed(app, "?state=unloaded")).toEqual(["unloaded"]);
    expect(await listed(app, "?state=idle")).toEqual(["idle"]);
    expect(await listed(app, "?state=busy")).toEqual(["busy"]);
    expect(await listed(app, "?state=restarting")).toEqual([]);
    expect(await app.json("/api/sessions/unloaded")).toMatchObject({ state: "unloaded", generatorId: null });
  });

  test("a page of one state is full, though others stand between", async () => {
    const app = await startApp({ ...slow, limits: { turnsPerProvider: 100 } });
    for (let made = 0; made < 6; made++) {
      await app.post(`busy-${made}`, "hello");
      await create(app, { id: `idle-${made}` });
    }
    await app.clock.settle();
    const first = await app.json<{ items: { id: string }[]; next: string }>(
      "/api/sessions?state=idle&limit=4",
    );
    expect(first.items.map(({ id }) => id)).toEqual(["idle-5", "idle-4", "idle-3", "idle-2"]);
    const rest = await listed(app, `?state=idle&limit=4&cursor=${first.next}`);
    expect(rest).toEqual(["idle-1", "idle-0"]);
  });

  test.each([
    "limit=0",
    "limit=1001",
    "limit=-1",
    "limit=1.5",
    "limit=ten",
    "limit=",
    "cursor=x",
    "state=asleep",
    "state=",
    "label=project",
    "label=:x",
    "colour=red",
  ])("?%s is refused", async (query) => {
    const app = await startApp();
    expect(await refusal(await app.ask(`/api/sessions?${query}`))).toBe("400 malformed");
  });
});
