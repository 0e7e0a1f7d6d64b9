import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { barriers, Browser, chromiumPath } from "../support/browser.ts";
import { startSegue } from "../support/segue.ts";

describe.skipIf(chromiumPath === undefined)("the dashboard in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await Browser.open();
  });
  afterAll(() => browser.close());

  test("shows how the daemon stands, without a complaint of the browser", async () => {
    const segue = await startSegue({ settings: {} });
    await segue.post("/api/sessions/notes/messages", { content: "hello" }, { Prefer: "wait=20" });
    const { page, complaints } = await browser.visit(segue.url);
    await page.getByText("1 session").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
    await segue.stop();
  });

  test("with a token the page asks for it, and keeps it in the tab's memory alone", async () => {
    const segue = await startSegue({ settings: { server: { token: "let-me-in" } } });
    const { page } = await browser.visit(segue.url);
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("does not take this token").waitFor();
    await page.getByLabel("Token").fill("let-me-in");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([
      0,
      0,
      "",
    ]);
    await page.reload();
    await page.getByLabel("Token").waitFor();
    await page.context().close();
    await segue.stop();
  });
});
