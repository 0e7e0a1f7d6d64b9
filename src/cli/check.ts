import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { SegueError } from "../core/errors.ts";
import { readSettings } from "../settings/read.ts";
import type { CommandContext } from "./command.ts";
import { problemLine } from "./failure.ts";

/**
 * `segue check`: judges a settings file as the daemon would, without one. Prints each problem as
 * `FILE:LINE:COLUMN: message` and answers 5; a file in which nothing is wrong answers 0.
 */
export async function check(context: CommandContext, file: string | undefined): Promise<number> {
  const { screen, flags, paths } = context;
  const path = file === undefined ? paths.settings : resolve(file);
  const shown = file ?? paths.settings;
  const bytes = readGiven(path, shown, file === undefined);
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

/** The bytes of the file; null where the daemon's own does not exist yet, which means defaults. */
function readGiven(path: string, shown: string, mayBeMissing: boolean): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "ENOENT" && mayBeMissing) return null;
    throw new SegueError(
      "settings_invalid",
      `${shown} cannot be read: ${reasons.get(code) ?? String(code ?? thrown)}.`,
      {
        cause: thrown,
      },
    );
  }
}

const reasons = new Map<unknown, string>([
  ["ENOENT", "there is no such file"],
  ["EACCES", "you may not read it"],
  ["EISDIR", "it is a folder"],
  ["ENOTDIR", "a part of its path is no folder"],
  ["ELOOP", "its symbolic links lead in a circle"],
]);
