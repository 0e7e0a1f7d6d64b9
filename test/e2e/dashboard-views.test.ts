import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../support/binary.ts";
import { barriers, Browser, chromiumPath } from "../support/browser.ts";
import { startSample } from "./dashboard-sample.ts";

setDefaultTimeout(60_000);

/** What is looked at afterwards; git ignores it. */
const pictures = join(projectFolder, "dist", "screenshots");

const views: readonly { name: string; place: string; shows: string }[] = [
  { name: "overview", place: "#/", shows: "Overview" },
  { name: "sessions", place: "#/sessions", shows: "Sessions" },
  { name: "session", place: "#/sessions/index-design", shows: "Index design" },
  { name: "session-waiting", place: "#/sessions/summaries", shows: "summaries" },
  { name: "projects", place: "#/projects", shows: "Projects" },
  { name: "project", place: "#/projects/%2Fhome%2Fdev%2Fshop", shows: "/home/dev/shop" },
  { name: "changes", place: "#/changes", shows: "Changes" },
  { name: "settings-file", place: "#/settings/file", shows: "Settings" },
  { name: "settings-history", place: "#/settings/history", shows: "Settings" },
  { name: "settings", place: "#/settings", shows: "Settings" },
];

/** An hour of work, as a young daemon cannot have it: a morning's rise, two bad minutes, a queue that drains. */
function busyHour(): object {
  const until = Date.now();
  const items = Array.from({ length: 240 }, (_, step) => ({
    at: new Date(until - (240 - step) * 15_000).toISOString(),
    turns: Math.round(14 + 9 * Math.sin(step / 24) + 4 * Math.sin(step / 3.1)),
    failures: step > 130 && step < 140 ? 5 : Number(step % 61 === 0),
    pending: Math.max(0, Math.round(30 * Math.exp(-(((step - 145) / 18) ** 2)) + 2 * Math.sin(step / 5))),
  }));
  return { stepMs: 15_000, items };
}

describe.skipIf(chromiumPath === undefined)("each view of the dashboard in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await Browser.open();
    mkdirSync(pictures, { recursive: true });
  });
  afterAll(() => browser.close());

  test("stands without a barrier and without a complaint, light, dark and on a phone", async () => {
    const segue = await startSample();
    const looks = [
      { name: "light", theme: "light" },
      { name: "dark", theme: "dark" },
      { name: "phone", theme: "light", width: 390, height: 780 },
    ] as const;
    const found: string[] = [];
    for (const look of looks) {
      const { page, complaints } = await browser.visit(`${segue.url}/#/settings`, look);
      await page.route("**/api/stats/activity", (route) => route.fulfill({ json: busyHour() }));
      for (const { name, place, shows } of views) {
        await page.goto(`${segue.url}/${place}`);
        await page.getByRole("heading", { level: 1, name: shows }).waitFor();
        await page.getByText("Live", { exact: true }).waitFor();
        if (name === "overview") await page.locator("canvas").first().waitFor();
        await page.screenshot({
          path: join(pictures, `${name}-${look.name}.png`),
          fullPage: name !== "sessions",
        });
        found.push(...(await barriers(page)).map((barrier) => `${name}, ${look.name}: ${barrier}`));
      }
      found.push(...complaints);
      await page.context().close();
    }
    expect(found).toEqual([]);
    await segue.stop();
  });
});
