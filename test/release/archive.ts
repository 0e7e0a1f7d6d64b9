import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { create } from "tar";
import { projectFolder } from "../support/binary.ts";
import type { Source } from "./build.ts";
import { outputOf } from "./output.ts";

/** What goes into an archive. */
export interface Contents {
  /** Of the target. */
  name: string;
  program: string;
  /** Whether this machine has run the program. */
  isRun: boolean;
  source: Source;
  /** From 1, soon done, to 9, small. */
  level?: number;
}

const notRun = "NOT-RUN.md";
const ownTexts = ["LICENSE", "THIRD-PARTY-NOTICES.md", "CHANGELOG.md"];
const completions = [
  ["bash", "segue.bash"],
  ["zsh", "_segue"],
  ["fish", "segue.fish"],
] as const;

/** The name of an archive, which is also that of the folder in it, without what follows the point. */
function archiveName(target: string, { version }: Source): string {
  return `segue-${version}-${target}`;
}

/**
 * Writes the archive of a build into `folder` and answers its path. The same contents make the same bytes: entries are
 * sorted, belong to nobody and have the time of the commit.
 */
export async function writeArchive(contents: Contents, folder: string): Promise<string> {
  const name = archiveName(contents.name, contents.source);
  const stage = join(folder, name);
  await fillStage(contents, stage);
  const entries = readdirSync(stage, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const file = join(folder, `${name}.tar.gz`);
  const gzip = { level: contents.level ?? 6 };
  const { madeAt } = contents.source;
  await create({ cwd: folder, file, gzip, portable: true, mtime: madeAt }, paths.toSorted());
  return file;
}

async function fillStage({ name, program, isRun, source }: Contents, stage: string): Promise<void> {
  mkdirSync(join(stage, "completions"), { recursive: true });
  copyFileSync(program, join(stage, "segue"));
  chmodSync(join(stage, "segue"), 0o755);
  for (const path of [...ownTexts, ...pagesFrom("README.md")]) put(join(stage, path), readText(path));
  for (const [shell, file] of completions) {
    const script = await outputOf([process.execPath, "src/main.ts", "completions", shell], projectFolder);
    put(join(stage, "completions", file), script);
  }
  if (!isRun) put(join(stage, notRun), notRunText(name, source));
}

function notRunText(name: string, { version, commit }: Source): string {
  return (
    `This build, Segue ${version} (${commit}) for ${name}, was made on a machine that cannot run it: it was compiled ` +
    "from the same source as the build that was tested there, and was not run itself. `./segue version` says whether " +
    "it runs here, and `./segue tour` shows that it works.\n"
  );
}

/** A page of the project and all pages that it leads to by links, so that none of them leads nowhere. */
function pagesFrom(first: string): string[] {
  const pages = new Set([first]);
  for (const page of pages)
    for (const [, link = ""] of readText(page).matchAll(/\]\((?!\w+:)([^)#\s]+\.md)(?:#[^)]*)?\)/g)) {
      const path = join(dirname(page), link);
      if (existsSync(join(projectFolder, path))) pages.add(path);
    }
  return [...pages];
}

function readText(path: string): string {
  return readFileSync(join(projectFolder, path), "utf8");
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o644);
}

/** Writes SHA256SUMS beside these files, as `sha256sum --check` reads it, and answers the sums by name. */
export function writeSums(files: readonly string[], folder: string): Map<string, string> {
  const sums = files.map((file): [string, string] => [basename(file), sumOf(file)]);
  const sorted = sums.toSorted(([one], [other]) => (one < other ? -1 : 1));
  writeFileSync(join(folder, "SHA256SUMS"), sorted.map(([name, sum]) => `${sum}  ${name}\n`).join(""));
  return new Map(sorted);
}

function sumOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
