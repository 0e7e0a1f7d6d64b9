import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../support/binary.ts";

/** A fenced block of a page. */
export interface Block {
  /** The line of the page on which its text begins. */
  line: number;
  language: string;
  /** What else stands behind the language: how the block is meant. */
  note: string;
  text: string;
}

/** A page of the documentation. */
export interface Page {
  /** From the project's folder. */
  path: string;
  text: string;
  blocks: readonly Block[];
}

const guide = join("src", "guide");

/** Every page for users: the README, and those of the guide. */
export function pages(): Page[] {
  const further = readdirSync(join(projectFolder, guide)).filter((name) => name.endsWith(".md"));
  return ["README.md", ...further.toSorted().map((name) => join(guide, name))].map(readPage);
}

/** Reads a page, by its path from the project's folder. */
export function readPage(path: string): Page {
  const text = readFileSync(join(projectFolder, path), "utf8");
  return { path, text, blocks: blocksIn(text) };
}

/** The fenced blocks of a text, in order. */
export function blocksIn(text: string): Block[] {
  const fences = text.matchAll(/^```(?<language>\w*) ?(?<note>.*)\n(?<text>[^]*?)^```$/gm);
  return Array.from(fences, ({ index, groups }) => ({
    line: text.slice(0, index).split("\n").length + 1,
    language: groups?.["language"] ?? "",
    note: groups?.["note"] ?? "",
    text: groups?.["text"] ?? "",
  }));
}
