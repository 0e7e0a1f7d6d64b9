import { afterEach, expect, test } from "bun:test";
import { refusal } from "./asking.ts";
import { startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const path = "/api/daemon/checkpoint";
const slow = { providers: { echo: { delayMs: 60_000 } } };

test("a checkpoint holds every session with its context, its queue and what is in flight", async () => {
  const app = await startApp();
  const done = await app.done("a", "hello");
  await app.done("b", "elsewhere");
  await app.edit(slow);
  const running = await app.post("a", "takes long");
  const pending = await app.post("a", "waits for it");
  await app.clock.settle();
  const { instanceId } = await app.json<{ instanceId: string }>("/api/daemon");
  const checkpoint = await app.json(path, { method: "POST" });
  expect(checkpoint).toEqual({
    version: 1,
    takenAt: "2026-01-01T00:00:00.000Z",
    instanceId,
    sessions: [
      expect.objectContaining({ id: "b", queue: [], notes: [] }),
      {
        ...(await app.json("/api/sessions/a")),
        context: [await app.json(`/api/messages/${done.id}`)],
        notes: [],
        queue: [await app.json(`/api/messages/${running.id}`), await app.json(`/api/messages/${pending.id}`)],
      },
    ],
    active: [{ message: running.id, session: "a", startedAt: "2026-01-01T00:00:00.000Z", subscribers: 0 }],
  });
});

test("it names who reads the events of a session at work, and holds no secret", async () => {
  const app = await startApp({ providers: { claude: { apiKey: "k-hush-hush" }, ...slow.providers } });
  const reader = await app.ask("/api/events?session=a");
  await app.post("a", "takes long");
  await app.clock.settle();
  const text = await (await app.ask(path, { method: "POST" })).text();
  expect(JSON.parse(text)).toMatchObject({ active: [{ session: "a", subscribers: 1 }] });
  expect(text).not.toContain("hush");
  await reader.body?.cancel();
});

test("without sessions it is empty; it takes no fields", async () => {
  const app = await startApp();
  expect(await app.json(path, { method: "POST" })).toMatchObject({ sessions: [], active: [] });
  expect(await refusal(await app.ask(path, { json: { out: "x" } }))).toBe("422 invalid");
  expect(await refusal(await app.ask(path))).toBe("405 method_not_allowed");
});
