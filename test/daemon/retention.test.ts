import { afterEach, expect, test } from "bun:test";
import { Retention } from "../../src/daemon/retention.ts";
import { type DaemonApp, startApp, stopApps } from "../http/daemon-app.ts";

afterEach(stopApps);

const hour = 3_600_000;
const day = 24 * hour;

/** An app whose retention runs; it is stopped by the test. */
async function setup(settings: Record<string, unknown>): Promise<{ app: DaemonApp; retention: Retention }> {
  const app = await startApp({ sessions: { idleUnloadMs: 20 * day }, ...settings });
  const { store, clock, settings: inForce } = app.services;
  const retention = new Retention({
    store,
    clock,
    random: () => 0.5,
    keep: () => inForce.inForce().settings.storage,
    registry: () => app.core.registry,
    onFault: (thrown) => void app.faults.push(thrown),
  });
  retention.start();
  return { app, retention };
}

async function statusesOf(app: DaemonApp): Promise<string[]> {
  const { items } = await app.json<{ items: { status: string }[] }>("/api/messages");
  return items.map(({ status }) => status);
}

test("failed messages go after storage.keepDays, then their empty session, from memory too", async () => {
  const { app, retention } = await setup({
    provider: "command",
    providers: { command: { argv: ["/bin/false"] } },
    turn: { maxAttempts: 1 },
    storage: { keepDays: 1 },
  });
  await app.done("a", "fails");
  await app.clock.advance(day - hour);
  expect(await statusesOf(app)).toEqual(["failed"]);
  expect(app.core.registry.find("a")).toBeDefined();
  await app.clock.advance(3 * hour);
  expect(await statusesOf(app)).toEqual([]);
  expect((await app.ask("/api/sessions/a")).status).toBe(404);
  expect(app.core.registry.find("a")).toBeUndefined();
  await app.edit({});
  expect(await app.done("a", "anew")).toMatchObject({ seq: 1, status: "done" });
  await retention.stop();
});

test("what a session's context holds stays, however old", async () => {
  const { app, retention } = await setup({ storage: { keepDays: 1 } });
  await app.done("a", "remembered");
  await app.clock.advance(2 * day);
  expect(await statusesOf(app)).toEqual(["done"]);
  await retention.stop();
});

test("0 days keep everything, from the next pass on what an edit says", async () => {
  const { app, retention } = await setup({ storage: { keepDays: 0, keepEventsDays: 60 } });
  await app.json("/api/sessions", { json: { id: "a" } });
  await app.clock.advance(2 * day);
  expect((await app.ask("/api/sessions/a")).status).toBe(200);
  expect((await app.services.store.events.bounds()).oldest).toBe(1);
  await app.edit({ storage: { keepDays: 1, keepEventsDays: 1 } });
  await app.clock.advance(2 * hour);
  expect((await app.ask("/api/sessions/a")).status).toBe(404);
  expect((await app.services.store.events.bounds()).oldest).toBeGreaterThan(1);
  await retention.stop();
});

test("a message that comes for a session while that goes is kept", async () => {
  const { app, retention } = await setup({ storage: { keepDays: 1 } });
  await retention.stop();
  await app.json("/api/sessions", { json: { id: "a" } });
  await app.clock.advance(2 * day);
  const deleted = app.core.registry.deleteEmpty(0, app.clock.now() - day);
  const posted = app.post("a", "just in time");
  await deleted;
  await posted;
  await app.clock.settle();
  expect(await app.json("/api/sessions/a")).toMatchObject({ turns: 1, pending: 0 });
});

test("stopped, it leaves nothing behind, also in the middle of a pass", async () => {
  const { app, retention } = await setup({});
  const before = app.clock.waiting;
  await app.clock.advance(60_000);
  await retention.stop();
  await retention.stop();
  expect(app.clock.waiting).toBeLessThan(before);
});
