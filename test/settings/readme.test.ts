import { expect, test } from "bun:test";
import { settingsKeys } from "../../src/settings/keys.ts";
import { tableForReadme, tableInReadme } from "./readme-table.ts";

test("the README has the table of settings as it is; bun test/settings/readme-table.ts writes it", () => {
  expect(tableInReadme()).toBe(tableForReadme());
});

test("the table has a row for each key, with its class", () => {
  const rows = tableForReadme().split("\n");
  for (const { key, class: takesEffect } of settingsKeys()) {
    expect(rows.find((row) => row.startsWith(`| \`${key}\` |`))).toContain(` | ${takesEffect}`);
  }
});
