import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { projectFolder } from "../support/binary.ts";
import { runSegue } from "../support/segue.ts";
import { exampleNames } from "../../src/examples/names.ts";
import { settingsKeys } from "../../src/settings/keys.ts";
import { type Page, pages, readPage } from "./page.ts";

setDefaultTimeout(60_000);

/** What a link of Markdown is made of a heading (GitHub's way). */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

function headingsOf({ text }: Page): string[] {
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = ""]) => anchorOf(heading));
}

/** Links of a page that lead nowhere. */
function deadLinks(page: Page): string[] {
  const links = Array.from(page.text.matchAll(/\]\((?<to>[^)\s]+)\)/g), ({ groups }) => groups?.["to"] ?? "");
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [file = "", anchor] = link.split("#");
    const path =
      file === "" ? page.path : relative(projectFolder, join(projectFolder, dirname(page.path), file));
    if (!existsSync(join(projectFolder, path))) return true;
    return anchor !== undefined && !headingsOf(readPage(path)).includes(anchor);
  });
}

test.each(pages().map((page) => [page.path, page] as const))(
  "the links of %s lead somewhere",
  (_path, page) => {
    expect(deadLinks(page)).toEqual([]);
  },
);

test("every page of the guide is named in the README", () => {
  const { text } = readPage("README.md");
  const named = pages().filter(({ path }) => path === "README.md" || text.includes(`](${path})`));
  expect(named).toHaveLength(pages().length);
});

test("the page of commands has the commands there are", async () => {
  const { stdout } = await runSegue(["--help"]);
  const known = Array.from(
    stdout.matchAll(/^ {2}(?<name>[a-z]+)[ |].*$/gm),
    ({ groups }) => groups?.["name"],
  );
  const { text } = readPage("src/guide/commands.md");
  // A row may tell of several: of `segue set` and of `segue unset`.
  const rows = Array.from(
    text.matchAll(/^\| (?<cell>`segue [^\n]*?) +\| /gm),
    ({ groups }) => groups?.["cell"] ?? "",
  );
  const told = rows.flatMap((cell) =>
    Array.from(cell.matchAll(/`segue (?<name>[a-z]+)/g), ({ groups }) => groups?.["name"]),
  );
  expect(told.length).toBeGreaterThan(5);
  expect(told.filter((name) => !known.includes(name))).toEqual([]);
  expect(known.filter((name) => name !== "help" && !told.includes(name))).toEqual([]);
});

test("what the pages name of settings and examples is there", () => {
  const keys = settingsKeys().map(({ key }) => key);
  const groups = new Set(keys.map((key) => key.split(".")[0]));
  const examples = new Set<string>(exampleNames);
  const unknown = pages().flatMap(({ path, text }) => [
    ...Array.from(text.matchAll(/`(?<key>[a-z]+\.[a-zA-Z]+)`/g), ({ groups: found }) => found?.["key"] ?? "")
      .filter((key) => groups.has(key.split(".")[0]) && !keys.includes(key))
      .filter((key) => !others.test(key))
      .map((key) => `${path}: ${key}`),
    ...Array.from(
      text.matchAll(/segue examples (?<name>[\w.-]+\w)/g),
      ({ groups: found }) => found?.["name"] ?? "",
    )
      .filter((name) => !examples.has(name))
      .map((name) => `${path}: segue examples ${name}`),
  ]);
  expect(unknown).toEqual([]);
});

/** What is spelled as keys are: names of files, and of events. */
const others = /\.(db|json)$|^(settings|provider|daemon)\.[a-z]+ed$/;
