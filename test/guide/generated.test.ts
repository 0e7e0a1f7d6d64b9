import { expect, test } from "bun:test";
import { settingsKeys } from "../../src/settings/keys.ts";
import { generatedPages } from "./generated.ts";
import { readPage } from "./page.ts";

test("what the guide has of tables is what the program has; `bun run docs` writes them anew", () => {
  for (const { path, text, wanted } of generatedPages())
    expect({ path, text }).toEqual({ path, text: wanted });
});

test("the table of settings has a row for each key, with its class", () => {
  const rows = readPage("src/guide/settings.md").text.split("\n");
  expect(settingsKeys().length).toBeGreaterThan(30);
  for (const { key, class: takesEffect } of settingsKeys())
    expect(rows.find((row) => row.startsWith(`| \`${key}\` |`))).toContain(` | ${takesEffect}`);
});
