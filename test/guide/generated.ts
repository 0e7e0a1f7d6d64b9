import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openApiDocument } from "../../src/http/openapi/document.ts";
import { settingsTable } from "../../src/settings/reference-page.ts";
import { projectFolder } from "../support/binary.ts";
import { callsTable } from "./calls-table.ts";

/** The parts of the guide that are made of what the program knows, each between two markers on its page. */
const parts = [
  { page: "settings.md", name: "settings", make: settingsTable },
  { page: "api.md", name: "calls", make: () => callsTable(openApiDocument("")) },
] as const;

/** A page as it stands, and as it should. */
export interface GeneratedPage {
  path: string;
  text: string;
  wanted: string;
}

/** Every page that has such a part. Throws where its markers are gone. */
export function generatedPages(): GeneratedPage[] {
  return parts.map(({ page, name, make }) => {
    const path = join(projectFolder, "src", "guide", page);
    const text = readFileSync(path, "utf8");
    const between = new RegExp(`(<!-- ${name}:begin -->\n)([^]*)(<!-- ${name}:end -->)`);
    if (!between.test(text)) throw new Error(`${path} has no markers for ${name}`);
    const wanted = text.replace(
      between,
      (_all, begin: string, _old, end: string) => `${begin}\n${make()}\n${end}`,
    );
    return { path, text, wanted };
  });
}

// `bun run docs` writes them anew.
if (import.meta.main) for (const { path, wanted } of generatedPages()) writeFileSync(path, wanted);
