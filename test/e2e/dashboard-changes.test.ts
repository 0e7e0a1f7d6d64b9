import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { barriers, Browser, chromiumPath, pictureInBothThemes } from "../support/browser.ts";
import { freePort } from "../support/ports.ts";
import { type SegueOptions, startSegue } from "../support/segue.ts";
import { leave, settings, talk, visit, type Visit } from "./dashboard-visit.ts";
import { saveSettings } from "./settings-file.ts";

setDefaultTimeout(60_000);

let browser: Browser;

/** Sessions may go back to whatever worked. */
const loose = { ...settings, reload: { ...settings.reload, guard: "any" } };

/** Switches to a server that is not there, and has a turn find that out. */
async function holdAGoneServer({ segue, page }: Visit): Promise<void> {
  const port = await freePort();
  const gone = { kind: "openai", model: "gone", baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: "k" };
  const edited = { ...loose, provider: "gone", providers: { ...settings.providers, gone } };
  saveSettings(segue.settingsPath, edited, "replaced by a rename");
  await page.getByText("Revision 2 is in force").waitFor();
  await talk(segue, "notes");
}

describe.skipIf(chromiumPath === undefined)("changes under the dashboard in Chromium", () => {
  beforeAll(async () => {
    browser = await Browser.open();
  });
  afterAll(() => browser.close());

  test("a bad edit is said with its place and line, changes nothing, and goes away", async () => {
    const visited = await visit(browser, "#/");
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
    const visited = await visit(browser, "#/changes", { settings: loose });
    const { segue, page } = visited;
    await talk(segue, "notes");
    await holdAGoneServer(visited);
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

  test("what is held is tried again when it is released", async () => {
    const visited = await visit(browser, "#/changes", { settings: loose });
    const { segue, page } = visited;
    await talk(segue, "notes");
    await holdAGoneServer(visited);
    await page.getByRole("button", { name: "Release: try again now" }).click();
    await page.getByText("gone gone is held no more").waitFor();
    await page.getByText("Nothing: no binding in use was refused").waitFor();
    await leave(visited);
  });

  test("a restart of the daemon is asked for here, and its note stands in the conversation", async () => {
    const visited = await visit(browser, "#/sessions/busy", { settings: { ...settings, provider: "slow" } });
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
    const visited = await visit(browser, "#/sessions/notes", {
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
    const visited = await visit(browser, "#/", options);
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
