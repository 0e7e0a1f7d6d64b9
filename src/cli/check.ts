import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { readSettings } from "../settings/read.ts";
import type { CommandContext } from "./command.ts";
import { problemLine } from "./failure.ts";
import { readGivenFile, readOwnFile } from "./given-file.ts";

/**
 * `segue check`: judges a settings file as the daemon would, without one. Prints each problem as
 * `FILE:LINE:COLUMN: message` and answers 5; a file in which nothing is wrong answers 0.
 */
export async function check(context: CommandContext, file: string | undefined): Promise<number> {
  const { screen, flags, paths } = context;
  const path = file === undefined ? paths.settings : resolve(file);
  const shown = file ?? paths.settings;
  const bytes = file === undefined ? readOwnFile(path) : readGivenFile(path, shown);
  const result = readSettings({
    bytes,
    path,
    env: context.env,
    flags: [],
    readFile: (name) => readFileSync(name),
  });
  const problems = result.kind === "ok" ? [] : result.problems;
  const ignored = result.kind === "ok" ? result.reading.legacy?.ignored : undefined;
  if (flags.json) screen.answer(JSON.stringify({ path, problems, ...(ignored && { ignored }) }));
  else screen.answer(...problems.map((problem) => problemLine(problem, shown)));
  if (problems.length > 0) return 5;
  if (ignored && !flags.json)
    screen.note(`These are claude-mem's settings. Ignored: ${ignored.join(", ") || "nothing"}`);
  if (!flags.json)
    screen.answer(bytes ? `${shown}: nothing is wrong.` : `${shown}: no such file; the defaults hold.`);
  return 0;
}
