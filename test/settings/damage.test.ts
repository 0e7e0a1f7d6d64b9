import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { startApp, stopApps } from "../http/daemon-app.ts";
import { Chance, damagedFile } from "./damage.ts";
import { searchDamage } from "./damage-search.ts";

afterEach(stopApps);

/** Far beyond what judging takes, far below what anybody would wait for. */
const boundedMs = 2000;

test("of two thousand damaged files none is accepted, and each is told where it is wrong", () => {
  const { failures, slowest, byKind, withLine } = searchDamage(2000, 20_260_301);
  expect(failures).toEqual([]);
  expect(slowest.ms).toBeLessThan(boundedMs);
  expect(byKind.size).toBeGreaterThan(20);
  expect(withLine).toBeGreaterThan(1400);
});

test("a daemon whose settings file is damaged again and again goes on with the last good one", async () => {
  const app = await startApp({ turn: { maxAttempts: 7 } });
  for (let n = 0; n < 100; n++) {
    writeFileSync(app.settingsPath, damagedFile(n, new Chance(n)).bytes);
    expect((await app.ask("/api/settings/reload", { method: "POST" })).status).toBe(422);
  }
  expect(await app.json("/api/settings")).toMatchObject({
    revision: 1,
    settings: { turn: { maxAttempts: 7 } },
  });
  await app.edit({ turn: { maxAttempts: 7 } });
  expect(await app.json("/api/settings/status")).toMatchObject({ revision: 1, problems: [] });
});
