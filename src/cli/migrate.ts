import { constants, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errorText, SegueError } from "../core/errors.ts";
import { exchangeFiles } from "../platform/exchange.ts";
import { migratedText } from "../settings/migrate.ts";
import { replaceFile } from "../settings/replace-file.ts";
import { SettingsFile } from "../settings/settings-file.ts";
import type { CommandContext } from "./command.ts";

/**
 * `segue migrate`: writes claude-mem's settings in Segue's own form, in the place of the file, of which a copy is kept
 * beside it, or with `out` into a new file. Needs no daemon; one that runs finds the same settings in it.
 */
export async function migrate(context: CommandContext, out: string | undefined): Promise<number> {
  const { screen, flags, paths, env } = context;
  const file = new SettingsFile({ path: paths.settings, env, flags: [] });
  const source = file.look();
  if (source.kind === "missing")
    throw new SegueError("settings_invalid", `${paths.settings}: there is no such file`);
  const judged = file.judge(source, false);
  if (judged.kind === "problems")
    throw new SegueError("settings_invalid", `${paths.settings} is not valid`, { problems: judged.problems });
  const text = source.kind === "file" ? migratedText(source.bytes) : undefined;
  if (text === undefined || source.kind !== "file") {
    if (flags.json) screen.answer(JSON.stringify({ path: null, backup: null, ignored: [] }));
    else screen.answer(`${paths.settings} is in Segue's own form; there is nothing to migrate.`);
    return 0;
  }
  const written =
    out === undefined ? await replace(paths.settings, text, source.hash) : writeNew(resolve(out), text);
  const ignored = judged.reading.legacy?.ignored ?? [];
  if (flags.json) screen.answer(JSON.stringify({ ...written, ignored }));
  else {
    screen.answer(`Wrote ${written.path}`);
    if (written.backup !== null) screen.note(`The file as it was is kept as ${written.backup}`);
    if (ignored.length > 0) screen.note(`Left out: ${ignored.join(", ")}`);
  }
  return 0;
}

interface Written {
  path: string;
  backup: string | null;
}

async function replace(path: string, text: string, hash: string): Promise<Written> {
  const backup = keepCopy(path);
  const bytes = new TextEncoder().encode(text);
  if (await replaceFile(path, { bytes, expected: hash, exchange: exchangeFiles })) return { path, backup };
  throw new SegueError("settings_not_writable", `${path} was changed by another program meanwhile`, {
    hint: "try again when it is done",
  });
}

/** A copy beside the file, under a name that is free; readable by whoever may read the file. */
function keepCopy(path: string): string {
  for (let count = 1; ; count++) {
    const backup = `${path}.claude-mem${count === 1 ? "" : `.${count}`}`;
    try {
      copyFileSync(path, backup, constants.COPYFILE_EXCL);
      return backup;
    } catch (thrown) {
      if (!isThere(thrown)) throw notWritable(backup, thrown);
    }
  }
}

function writeNew(path: string, text: string): Written {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
    return { path, backup: null };
  } catch (thrown) {
    throw isThere(thrown)
      ? new SegueError("settings_not_writable", `${path} is there already; migrate --out never overwrites.`)
      : notWritable(path, thrown);
  }
}

function isThere(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST";
}

function notWritable(path: string, thrown: unknown): SegueError {
  return new SegueError("settings_not_writable", `${path} cannot be written: ${errorText(thrown)}`, {
    cause: thrown,
  });
}
