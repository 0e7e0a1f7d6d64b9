import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { barriers, Browser, chromiumPath, type Look, picture } from "../support/browser.ts";
import type { Segue } from "../support/segue.ts";
import { startSample } from "./dashboard-sample.ts";

setDefaultTimeout(60_000);

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

/** A picture of each view, and what is wrong in it. */
async function walk(look: Look, name: string, isJudged: boolean): Promise<string[]> {
  const { page, complaints } = await browser.visit(`${segue.url}/#/settings`, look);
  await page.route("**/api/stats/activity", (route) => route.fulfill({ json: busyHour() }));
  const found: string[] = [];
  for (const view of views) {
    await page.goto(`${segue.url}/${view.place}`);
    await page.getByRole("heading", { level: 1, name: view.shows }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    if (view.name === "overview") await page.locator("canvas").first().waitFor();
    const [wanted, given] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.innerWidth,
    ]);
    if (wanted !== given) found.push(`${view.name}: is ${wanted} wide, with room for ${given}`);
    await picture(page, `${view.name}-${name}`, view.name !== "sessions");
    if (isJudged) found.push(...(await barriers(page)).map((barrier) => `${view.name}: ${barrier}`));
  }
  await page.context().close();
  return [...found, ...complaints];
}

let browser: Browser;
let segue: Segue;

describe.skipIf(chromiumPath === undefined)("each view of the dashboard in Chromium", () => {
  beforeAll(async () => {
    browser = await Browser.open();
    segue = await startSample();
  });
  afterAll(async () => {
    await browser.close();
    await segue.stop();
  });

  test.each(["light", "dark"] as const)(
    "stands without a barrier and without a complaint, %s",
    async (theme) => {
      expect(await walk({ theme }, theme, true)).toEqual([]);
    },
  );

  test("fits a phone: nothing has to be scrolled sideways", async () => {
    expect(await walk({ width: 390, height: 780 }, "phone", false)).toEqual([]);
  });
});
