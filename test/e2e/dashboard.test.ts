import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Locator } from "playwright-core";
import {
  barriers,
  Browser,
  chromiumPath,
  pictureInBothThemes,
  type WatchedPage,
} from "../support/browser.ts";
import { freePort } from "../support/ports.ts";
import { type Segue, type SegueOptions, startSegue } from "../support/segue.ts";
import { saveSettings } from "./settings-file.ts";

setDefaultTimeout(60_000);

const settings = {
  provider: "first",
  providers: {
    first: { kind: "echo", model: "one" },
    second: { kind: "echo", model: "two" },
    slow: { kind: "echo", model: "slow", delayMs: 600_000 },
  },
  reload: { debounceMs: 20, staggerMs: 10 },
  daemon: { graceMs: 100 },
};

let browser: Browser;

interface Visit extends WatchedPage {
  segue: Segue;
}

async function visit(place: string, options: SegueOptions = {}): Promise<Visit> {
  const segue = await startSegue({ settings, ...options });
  const watched = await browser.visit(`${segue.url}/${place}`);
  await watched.page.getByText("Live", { exact: true }).waitFor();
  return { segue, ...watched };
}

async function leave({ page, segue }: Visit): Promise<void> {
  await page.context().close();
  await segue.stop();
}

async function talk(segue: Segue, session: string): Promise<void> {
  await segue.post(
    `/api/sessions/${session}/messages`,
    { content: `hello ${session}` },
    { Prefer: "wait=20" },
  );
}

describe.skipIf(chromiumPath === undefined)("the dashboard in Chromium", () => {
  beforeAll(async () => {
    browser = await Browser.open();
  });
  afterAll(() => browser.close());

  test("sessions appear, move and go as they do, without a request or a complaint of the browser", async () => {
    const visited = await visit("#/sessions");
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
    const visited = await visit("#/sessions/talk", { settings: streaming });
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
    const visited = await visit("#/sessions/talk", { settings: failing });
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

  test("a bad edit is said with its place and line, changes nothing, and goes away", async () => {
    const visited = await visit("#/");
    const { segue, page } = visited;
    const good = JSON.stringify(settings, null, 2);
    saveSettings(segue.settingsPath, good.replace('"echo"', '"ecco"'), "written in place");
    await page.getByText("Settings file not valid").waitFor();
    await page.getByText("settings.json:5:").waitFor();
    await page.locator("pre.source", { hasText: '"kind": "ecco"' }).waitFor();
    await page.getByText("revision 1, the last good one, stays").waitFor();
    await pictureInBothThemes(page, "bad-edit");
    expect(await barriers(page)).toEqual([]);
    saveSettings(segue.settingsPath, good, "written in place");
    await page.getByText("Settings file not valid").waitFor({ state: "detached" });
    await leave(visited);
  });

  test("a held binding is shown with its cause and what runs instead; rolled back, it is gone", async () => {
    const port = await freePort();
    const gone = { kind: "openai", model: "gone", baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: "k" };
    const loose = { ...settings, reload: { ...settings.reload, guard: "any" } };
    const visited = await visit("#/changes", { settings: loose });
    const { segue, page } = visited;
    await talk(segue, "notes");
    const edited = { ...loose, provider: "gone", providers: { ...settings.providers, gone } };
    saveSettings(segue.settingsPath, edited, "replaced by a rename");
    await page.getByText("Revision 2 is in force").waitFor();
    await talk(segue, "notes");
    const held = page.locator('[data-held="gone"]');
    await held.getByText("Server unreachable").waitFor();
    await held.getByText("they run under first one meanwhile").waitFor();
    await pictureInBothThemes(page, "held");
    await page.getByRole("button", { name: "Release: try again now" }).waitFor();
    await page.goto(`${segue.url}/#/`);
    await page.getByText("Went back: server unreachable").waitFor();
    await page.goto(`${segue.url}/#/changes`);
    await page.getByRole("button", { name: "Roll back to revision 1" }).click();
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await held.waitFor({ state: "detached" });
    await page.getByText("Revision 3 is in force").waitFor();
    await leave(visited);
  });

  test("five questions are answered from the page alone, each at its place", async () => {
    const wide = { ...settings, limits: { tokensPerDay: 1000 }, turn: { retryMs: 600_000 } };
    const failing = { kind: "command", model: "f", argv: ["sh", "-c", "exit 1"] };
    const before = { ...wide, providers: { ...settings.providers, failing } };
    const visited = await visit("#/", { settings: before });
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
    const visited = await visit("#/sessions");
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

  test("a restart of the daemon is asked for here, and its note stands in the conversation", async () => {
    const visited = await visit("#/sessions/busy", { settings: { ...settings, provider: "slow" } });
    const { segue, page } = visited;
    await segue.post("/api/sessions/busy/messages", { content: "takes its time" });
    await page.locator('[data-status="running"]').waitFor();
    await page.goto(`${segue.url}/#/changes`);
    await page.getByRole("button", { name: "Restart the daemon" }).click();
    await page.getByRole("button", { name: "Restart it" }).click();
    await page.getByText(/Restarted \d\d:\d\d:\d\d \(.*\), \d+ ms without turns/).waitFor();
    await page.goto(`${segue.url}/#/sessions/busy`);
    await page.getByText("[system] The daemon restarted on request.").waitFor();
    await leave(visited);
  });

  test("the page follows the daemon to another port, but not away from what was typed", async () => {
    const port = await freePort();
    const visited = await visit("#/sessions/notes", {
      port: "settings",
      settings: { ...settings, server: { port } },
    });
    const { segue, page } = visited;
    const next = await freePort();
    await page.getByLabel("Message", { exact: true }).fill("half a thought");
    saveSettings(segue.settingsPath, { ...settings, server: { port: next } }, "replaced by a rename");
    await page.getByText(`The daemon serves at http://127.0.0.1:${next}`).waitFor();
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("half a thought");
    await page.getByLabel("Message", { exact: true }).fill("");
    await page.waitForURL(`http://127.0.0.1:${next}/#/sessions/notes`);
    await page.getByText("Live", { exact: true }).waitFor();
    await leave(visited);
  });

  test("a lost connection is said; what happened meanwhile is told when it is back, each event once", async () => {
    const port = await freePort();
    const options: SegueOptions = { port: "settings", settings: { ...settings, server: { port } } };
    const visited = await visit("#/", options);
    const { page } = visited;
    await talk(visited.segue, "before");
    await page.getByText("before: message done 1").waitFor();
    await visited.segue.kill();
    await page.getByText("The connection is lost since").waitFor();
    await page.getByText("Offline").waitFor();
    await pictureInBothThemes(page, "connection-lost");
    const segue = await visited.segue.restart({ port: "settings" });
    await talk(segue, "meanwhile");
    await page.getByText("meanwhile: message done 1").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    const ids = await page
      .locator("[data-event]")
      .evaluateAll((lines) => lines.map((line) => Number(line.getAttribute("data-event"))));
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => b - a));
    expect((ids[0] ?? 0) - (ids.at(-1) ?? 0)).toBe(ids.length - 1);
    await leave({ ...visited, segue });
  });

  test("with a token the page asks for it, and keeps it in the tab's memory alone", async () => {
    const segue = await startSegue({ settings: { ...settings, server: { token: "let-me-in" } } });
    const { page } = await browser.visit(segue.url);
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("does not take this token").waitFor();
    await pictureInBothThemes(page, "login");
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel("Token").fill("let-me-in");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    const kept = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
    expect(kept).toEqual([0, 0, ""]);
    await page.reload();
    await page.getByLabel("Token").waitFor();
    await page.context().close();
    await segue.stop();
  });
});
