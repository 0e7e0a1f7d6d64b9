import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { barriers, Browser, chromiumPath } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { type Segue, startSegue } from "../support/segue.ts";

const file = `{
  // who answers
  "provider": "first",
  "providers": {
    "first": { "kind": "echo", "model": "one" }, // the old one
    "second": { "kind": "echo", "model": "two" },
  },
  "reload": { "debounceMs": 20 },
}
`;

async function begin(): Promise<{ segue: Segue; page: Page; complaints: string[] }> {
  const segue = await startSegue({ settings: file });
  await segue.post("/api/sessions/notes/messages", { content: "hello" }, { Prefer: "wait=20" });
  const { page, complaints } = await browser.visit(`${segue.url}/#/settings`);
  await page.getByLabel("provider", { exact: true }).waitFor();
  return { segue, page, complaints };
}

async function end({ segue, page }: { segue: Segue; page: Page }): Promise<void> {
  await page.context().close();
  await segue.stop();
}

/** Replaces the settings file the way editors do. */
function save(segue: Segue, text: string): void {
  writeFileSync(`${segue.settingsPath}.new`, text);
  renameSync(`${segue.settingsPath}.new`, segue.settingsPath);
}

let browser: Browser;

describe.skipIf(chromiumPath === undefined)("the settings in Chromium", () => {
  beforeAll(async () => {
    browser = await Browser.open();
  });
  afterAll(() => browser.close());

  test("a provider is switched in the form: the plan first, then the file, comments kept", async () => {
    const begun = await begin();
    const { segue, page, complaints } = begun;
    await page.getByLabel("provider", { exact: true }).selectOption("second");
    await page.getByText("1 session now, 0 at their boundary, 0 unaffected.").waitFor();
    expect(readFileSync(segue.settingsPath, "utf8")).toBe(file);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved: revision 2 is in force.").waitFor();
    expect(readFileSync(segue.settingsPath, "utf8")).toBe(
      file.replace(`"provider": "first"`, `"provider": "second"`),
    );
    await eventually("the session on the new provider", async () => {
      const { provider } = await segue.get<{ provider: string }>("/api/sessions/notes");
      return provider === "second";
    });
    expect(complaints).toEqual([]);
    await end(begun);
  });

  test("what is typed stays when the file changes underneath, and goes on top of it", async () => {
    const begun = await begin();
    const { segue, page } = begun;
    await page.getByLabel("turn.maxAttempts", { exact: true }).fill("7");
    await page.getByText("0 sessions now").waitFor();
    save(segue, file.replace(`"provider": "first"`, `"provider": "second"`));
    await page.getByText("The file changed underneath: revision 2 is in force now.").waitFor();
    expect(await page.getByLabel("provider", { exact: true }).inputValue()).toBe("second");
    expect(await page.getByLabel("turn.maxAttempts", { exact: true }).inputValue()).toBe("7");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved: revision 3 is in force.").waitFor();
    const { settings } = await segue.get<{ settings: unknown }>("/api/settings");
    expect(settings).toMatchObject({ provider: "second", turn: { maxAttempts: 7 } });
    await end(begun);
  });

  test("a provider is added with its key, which is never shown again, and removed", async () => {
    const begun = await begin();
    const { segue, page } = begun;
    await page.getByLabel("Add a provider").fill("third");
    await page.getByLabel("Kind of the new provider").selectOption("claude");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    const card = page.locator("details", { hasText: "third" });
    await page.getByLabel("providers.third.model").fill("claude-x");
    await page.getByLabel("providers.third.apiKey").fill("sk-typed-4711");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved: revision 2 is in force.").waitFor();
    expect(readFileSync(segue.settingsPath, "utf8")).toContain("sk-typed-4711");
    await card.getByPlaceholder("set; type to replace it").waitFor();
    expect(await page.content()).not.toContain("sk-typed-4711");
    await card.getByRole("button", { name: "Remove third" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved: revision 3 is in force.").waitFor();
    expect(readFileSync(segue.settingsPath, "utf8")).toBe(file);
    await end(begun);
  });

  test("what is no value is said at its field, and nothing is saved", async () => {
    const begun = await begin();
    const { segue, page } = begun;
    await page.getByLabel("turn.maxAttempts", { exact: true }).fill("many");
    await page.getByText("turn.maxAttempts has to be a whole number").waitFor();
    expect(await page.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Undo turn.maxAttempts" }).or(page.getByText("Discard")).click();
    await page.getByLabel("Add a provider").fill("remote");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("providers.remote.model").first().waitFor();
    expect(readFileSync(segue.settingsPath, "utf8")).toBe(file);
    await end(begun);
  });

  test("what only this machine may set cannot be typed, and says how it is set", async () => {
    const begun = await begin();
    const { page } = begun;
    expect(await page.getByLabel("server.port", { exact: true }).isDisabled()).toBe(true);
    await page.getByText("segue set server.port …").waitFor();
    await end(begun);
  });

  test("a bad edit of the file is shown at its line, with the line itself", async () => {
    const begun = await begin();
    const { segue, page } = begun;
    await page.getByRole("link", { name: "File", exact: true }).click();
    await page.getByText("in force").first().waitFor();
    save(segue, file.replace(`"debounceMs": 20`, `"debounceMs": "soon"`));
    await page.getByText("not valid; the last good one is in force").waitFor();
    const wrong = page.locator(".file-text li.wrong");
    await wrong.getByText(`"reload": { "debounceMs": "soon" },`).waitFor();
    await wrong.getByText(/reload\.debounceMs must be/).waitFor();
    expect(await barriers(page)).toEqual([]);
    save(segue, file);
    await page.locator(".file-text li.wrong").waitFor({ state: "detached" });
    await end(begun);
  });

  test("the history says what each edit changed, and brings a state back after a look at the plan", async () => {
    const begun = await begin();
    const { segue, page } = begun;
    save(segue, file.replace(`"provider": "first"`, `"provider": "second"`));
    await page.getByRole("link", { name: "History" }).click();
    const latest = page.getByRole("listitem").filter({ hasText: "Revision 2" });
    await latest.locator("ins", { hasText: `"provider": "second",` }).waitFor();
    await latest.locator("del", { hasText: `"provider": "first",` }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Roll back to 1…" }).click();
    await page.getByText("1 session now").waitFor();
    await page.getByRole("button", { name: "Roll back to 1", exact: true }).click();
    await page.getByRole("heading", { name: "Revision 3" }).waitFor();
    expect(readFileSync(segue.settingsPath, "utf8")).toBe(file);
    await end(begun);
  });

  test("in manual mode an edit waits with its plan until it is applied", async () => {
    const begun = await begin();
    const { segue, page } = begun;
    const manual = file.replace(`"debounceMs": 20`, `"debounceMs": 20, "mode": "manual"`);
    save(segue, manual);
    await eventually("manual mode", async () => {
      return (await segue.get<{ mode: string }>("/api/settings/status")).mode === "manual";
    });
    save(segue, manual.replace(`"provider": "first"`, `"provider": "second"`));
    await page.getByText("An edit of the file waits").waitFor();
    await page.getByRole("link", { name: "See it" }).click();
    await page.locator("ins", { hasText: `"provider": "second",` }).waitFor();
    await page.getByRole("button", { name: "Apply it" }).click();
    await page.getByText("An edit of the file waits").waitFor({ state: "detached" });
    expect(await segue.get<{ settings: unknown }>("/api/settings")).toMatchObject({
      settings: { provider: "second" },
    });
    await end(begun);
  });
});
