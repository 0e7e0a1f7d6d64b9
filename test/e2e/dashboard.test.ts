import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Locator } from "playwright-core";
import { barriers, Browser, chromiumPath, pictureInBothThemes } from "../support/browser.ts";
import { leave, settings, talk, visit } from "./dashboard-visit.ts";
import { saveSettings } from "./settings-file.ts";

setDefaultTimeout(60_000);

let browser: Browser;

describe.skipIf(chromiumPath === undefined)("the dashboard in Chromium", () => {
  beforeAll(async () => {
    browser = await Browser.open();
  });
  afterAll(() => browser.close());

  test("sessions appear, move and go as they do, without a request or a complaint of the browser", async () => {
    const visited = await visit(browser, "#/sessions");
    const { segue, page, complaints } = visited;
    await page.getByText("0 sessions").waitFor();
    await talk(segue, "notes");
    const row = page.locator('[data-session="notes"]');
    await row.getByText("Idle").waitFor();
    await row.getByText("first").waitFor();
    saveSettings(segue.settingsPath, { ...settings, provider: "second" }, "replaced by a rename");
    await row.getByText("second").waitFor();
    await segue.post("/api/sessions", { id: "pinned", provider: "slow" });
    await segue.post("/api/sessions/pinned/messages", { content: "takes its time" });
    await page.locator('[data-session="pinned"]').getByText("Busy").waitFor();
    await page.getByRole("radio", { name: /Not on the provider in force/ }).check({ force: true });
    await page.getByText("1 of 2 sessions").waitFor();
    await page.getByText("Pinned to its own provider").waitFor();
    expect(new URL(page.url()).hash).toBe("#/sessions?show=elsewhere");
    await segue.request("/api/sessions/pinned", { method: "DELETE" });
    await page.getByText("No session fits.").waitFor();
    // The page may have asked for the session between its last event and its end.
    expect(complaints.filter((text) => !/404 .*\/api\/sessions\/pinned$/.test(text))).toEqual([]);
    await leave(visited);
  });

  test("a conversation: sent, streaming, cancelled, and deleted after a question", async () => {
    const words = { kind: "command", model: "w", argv: ["sh", "-c", "printf 'one '; exec sleep 600"] };
    const streaming = { ...settings, providers: { ...settings.providers, words }, provider: "words" };
    const visited = await visit(browser, "#/sessions/talk", { settings: streaming });
    const { page } = visited;
    await page.getByLabel("Message", { exact: true }).fill("Count to two");
    await page.keyboard.press("Control+Enter");
    const message = page.locator('[data-status="running"]');
    await message.getByText("Count to two").waitFor();
    await message.locator(".arriving", { hasText: "one" }).waitFor();
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("");
    await pictureInBothThemes(page, "reply-arriving");
    expect(await barriers(page)).toEqual([]);
    await message.getByRole("button", { name: "Cancel" }).click();
    await page.locator('[data-status="cancelled"]').waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("dialog", { name: "Delete this session?" }).waitFor();
    await pictureInBothThemes(page, "question");
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await page.getByText("0 sessions").waitFor();
    await leave(visited);
  });

  test("why a message failed is said, and it is sent again", async () => {
    const broken = { kind: "command", model: "b", argv: ["sh", "-c", "echo out of memory >&2; exit 1"] };
    const failing = { ...settings, providers: { broken }, provider: "broken", turn: { maxAttempts: 1 } };
    const visited = await visit(browser, "#/sessions/talk", { settings: failing });
    const { segue, page } = visited;
    await segue.post("/api/sessions/talk/messages", { content: "hello" }, { Prefer: "wait=20" });
    const failed = page.locator('[data-status="failed"]').first();
    await failed.getByText("out of memory").waitFor();
    saveSettings(segue.settingsPath, settings, "replaced by a rename");
    await page.getByText("Revision 2", { exact: true }).waitFor();
    await failed.getByRole("button", { name: "Retry" }).click();
    await page.locator('[data-status="done"]').getByText("sent again").waitFor();
    await leave(visited);
  });

  test("five questions are answered from the page alone, each at its place", async () => {
    const wide = { ...settings, limits: { tokensPerDay: 1000 }, turn: { retryMs: 600_000 } };
    const failing = { kind: "command", model: "f", argv: ["sh", "-c", "exit 1"] };
    const before = { ...wide, providers: { ...settings.providers, failing } };
    const visited = await visit(browser, "#/", { settings: before });
    const { segue, page } = visited;
    const panel = (name: string): Locator => page.getByRole("region", { name, exact: true });
    await segue.post("/api/sessions", { id: "working", provider: null });
    await segue.post("/api/sessions", { id: "unlucky", provider: "failing" });
    await talk(segue, "notes");
    await segue.post("/api/sessions/unlucky/messages", { content: "fails and waits" });
    saveSettings(segue.settingsPath, { ...before, provider: "slow" }, "replaced by a rename");
    // 1. Which sessions are not on the new provider, and why.
    await panel("Not on slow")
      .getByRole("row", { name: /unlucky failing .* Pinned to its own provider/ })
      .waitFor();
    // 2. What waits, and until when.
    await panel("Waiting")
      .getByRole("row", { name: /unlucky next try \d\d:\d\d:\d\d, in \d+ min/ })
      .waitFor();
    // 3. What the last edit changed.
    await panel("Last edit").getByText("first", { exact: true }).waitFor();
    await panel("Last edit").getByText("slow", { exact: true }).waitFor();
    // 4. What today cost.
    await page.getByText(/^of 1,000 a day; begins anew in/).waitFor();
    const { tokensToday } = await segue.get<{ tokensToday: number }>("/api/stats");
    await page.getByRole("meter", { name: "Share of today's tokens" }).waitFor();
    await page.locator(".figures div", { hasText: "Tokens today" }).getByText(String(tokensToday)).waitFor();
    // 5. What this edit would do.
    await page.getByRole("link", { name: "Settings", exact: true }).click();
    await page.getByLabel("provider", { exact: true }).selectOption("second");
    await page.getByText(/2 sessions now, 0 at their boundary, 1 unaffected\./).waitFor();
    await leave(visited);
  });

  test("it is used by keys: to the search, into a session, back, and past the head of the page", async () => {
    const visited = await visit(browser, "#/sessions");
    const { segue, page } = visited;
    for (const name of ["alpha", "beta"]) await talk(segue, name);
    await page.locator('[data-session="beta"]').waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("alph");
    await page.getByText("1 of 2 sessions").waitFor();
    await page.getByRole("link", { name: "alpha" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "alpha" }).waitFor();
    expect(await page.title()).toBe("alpha · Segue");
    await page.goBack();
    await page.getByText("1 of 2 sessions").waitFor();
    await page.locator("body").press("Tab");
    await page.getByRole("link", { name: "Skip to content" }).press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await leave(visited);
  });
});
