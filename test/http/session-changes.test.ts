import { afterEach, describe, expect, test } from "bun:test";
import { refusal } from "./asking.ts";
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
