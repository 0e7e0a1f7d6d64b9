import { afterEach, describe, expect, test } from "bun:test";
import { refusal } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

/** An echo that takes its time, so that a turn is in flight for as long as a test wants. */
const slow = { provider: "slow", providers: { slow: { kind: "echo", model: "slow", delayMs: 1000 } } };

function create(app: DaemonApp, json: unknown): Promise<Response> {
  return app.ask("/api/sessions", { json });
}

async function listed(app: DaemonApp, query = ""): Promise<string[]> {
  const { items } = await app.json<{ items: { id: string }[] }>(`/api/sessions${query}`);
  return items.map(({ id }) => id);
}

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
