import axe, { type AxeResults } from "axe-core";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser as Chromium, chromium, type Page } from "playwright-core";
import { projectFolder } from "./binary.ts";

/** Where Chromium stands on this machine; undefined where it does not. */
export const chromiumPath = [
  process.env["SEGUE_TEST_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How a page is looked at. */
export interface Look {
  theme?: "light" | "dark";
  width?: number;
  height?: number;
}

/** A page, and what went wrong in it: errors, refused policies, and requests to anywhere but where it came from. */
export interface WatchedPage {
  page: Page;
  complaints: string[];
}

/** What axe-core finds wrong in what a page shows now: the rule, and where. */
export async function barriers(page: Page): Promise<string[]> {
  // Evaluated, not added as a script: the page's own policy would refuse that.
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>("axe.run({ resultTypes: ['violations'] })");
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}

/** What is looked at after a run; git ignores it. */
const pictures = join(projectFolder, "dist", "screenshots");

/** A picture of what a page shows, as `NAME.png`, to be looked at after the run. */
export async function picture(page: Page, name: string, isWhole = false): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: isWhole });
}

/** The same in both themes; the page is left light. */
export async function pictureInBothThemes(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: "light" });
  await picture(page, `${name}-light`);
}

/** A real browser with a folder of its own; `close` ends it and every page. */
export class Browser {
  readonly #chromium: Chromium;

  private constructor(started: Chromium) {
    this.#chromium = started;
  }

  /** Starts one. */
  static async open(): Promise<Browser> {
    if (chromiumPath === undefined) throw new Error("there is no Chromium on this machine");
    return new Browser(await chromium.launch({ executablePath: chromiumPath, args: flags }));
  }

  /** A page that shares nothing with the others, at an address. */
  async visit(url: string, { theme = "light", width = 1280, height = 860 }: Look = {}): Promise<WatchedPage> {
    const context = await this.#chromium.newContext({
      colorScheme: theme,
      viewport: { width, height },
      locale: "en-GB",
      timezoneId: "UTC",
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(`console: ${message.text()} ${message.location().url}`);
    });
    page.on("request", (request) => {
      const target = new URL(request.url());
      if (target.hostname !== new URL(url).hostname) complaints.push(`a request to ${target.hostname}`);
    });
    await page.goto(url);
    return { page, complaints };
  }

  async close(): Promise<void> {
    await this.#chromium.close();
  }
}
