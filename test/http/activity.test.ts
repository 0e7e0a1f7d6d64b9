import { afterEach, expect, test } from "bun:test";
import { startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

interface Activity {
  stepMs: number;
  items: { at: string; turns: number; failures: number; pending: number }[];
}

test("turns, failures and what waits are told step by step", async () => {
  const broken = { kind: "command", model: "m", argv: ["false"] };
  const app = await startApp({ providers: { broken }, turn: { retryMs: 600_000 } });
  expect(await app.json<Activity>("/api/stats/activity")).toEqual({ stepMs: 15_000, items: [] });
  await app.clock.advance(15_000);
  await app.done("a", "one");
  await app.done("a", "two");
  await app.clock.advance(15_000);
  await app.ask("/api/sessions", { json: { id: "b", provider: "broken" } });
  const { id } = await app.post("b", "fails and waits");
  await app.until(async () => (await app.json(`/api/messages/${id}`))["error"] !== null);
  await app.clock.advance(15_000);
  const { items } = await app.json<Activity>("/api/stats/activity");
  expect(items.map(({ at: _at, ...step }) => step)).toEqual([
    { turns: 0, failures: 0, pending: 0 },
    { turns: 2, failures: 0, pending: 0 },
    { turns: 0, failures: 1, pending: 1 },
  ]);
  expect(items.map(({ at }) => at)).toEqual([
    "2026-01-01T00:00:15.000Z",
    "2026-01-01T00:00:30.000Z",
    "2026-01-01T00:00:45.000Z",
  ]);
});

test("an hour is kept, and no more", async () => {
  const app = await startApp();
  await app.clock.advance(2 * 60 * 60 * 1000);
  const { items } = await app.json<Activity>("/api/stats/activity");
  expect(items).toHaveLength(240);
  expect(items.at(-1)?.at).toBe("2026-01-01T02:00:00.000Z");
});
