import { readFileSync, writeFileSync } from "node:fs";
import { settingsTable } from "../../src/settings/reference-page.ts";

const readme = new URL("../../README.md", import.meta.url);
const between = /(<!-- settings:begin -->\n)(.*?)(<!-- settings:end -->)/s;

/** The part of the README that the table of settings stands in; undefined where its markers are gone. */
export function tableInReadme(): string | undefined {
  return between.exec(readFileSync(readme, "utf8"))?.[2];
}

/** What should stand there. */
export function tableForReadme(): string {
  return `\n${settingsTable()}\n`;
}

// `bun test/settings/readme-table.ts` writes the table into the README.
if (import.meta.main) {
  const text = readFileSync(readme, "utf8");
  writeFileSync(
    readme,
    text.replace(between, (_all, begin: string, _old, end: string) => begin + tableForReadme() + end),
  );
}
