import { SegueError } from "../core/errors.ts";
import { exchangeFiles } from "../platform/exchange.ts";
import { unknown } from "../settings/entries.ts";
import { editFile } from "../settings/edit-file.ts";
import type { Edit } from "../settings/edit.ts";
import { findKey, knownAt, pathOf } from "../settings/keys.ts";
import { isJsonObject } from "../settings/merge-patch.ts";
import { SettingsFile } from "../settings/settings-file.ts";
import { editAnswer, shownSettings } from "./answers.ts";
import type { CommandContext } from "./command.ts";
import { planLines } from "./plan.ts";
import { settingsOwner } from "./settings-owner.ts";

/** `segue get`: the effective settings, or the value of one key or group; secrets are masked. Needs no daemon. */
export async function getSetting(context: CommandContext, key: string | undefined): Promise<number> {
  const { screen, flags } = context;
  const { text, settings } = await shown(context);
  if (key === undefined) {
    screen.answer(flags.json ? text : JSON.stringify(settings, undefined, 2));
    return 0;
  }
  const path = knownPath(key, settings);
  const value = path.reduce<unknown>(
    (inner, name) => (isJsonObject(inner) ? inner[name] : undefined),
    settings,
  );
  if (value === undefined && !flags.json) screen.note(`${key} is not set.`);
  else screen.answer(!flags.json && typeof value === "string" ? value : JSON.stringify(value ?? null));
  return 0;
}

/** `segue set`: writes one value into the settings file and returns once it is in force. Needs no daemon. */
export async function setSetting(
  context: CommandContext,
  given: { key: string; value: string; isDryRun: boolean },
): Promise<number> {
  const patch = patchOf(given.key, valueOf(given.key, given.value));
  return change(context, { kind: "patch", patch }, given.isDryRun);
}

/** `segue unset`: takes a key out of the settings file, so that its default holds again. Needs no daemon. */
export async function unsetSetting(
  context: CommandContext,
  given: { key: string; isDryRun: boolean },
): Promise<number> {
  return change(context, { kind: "patch", patch: patchOf(given.key, null) }, given.isDryRun);
}

async function change(
  context: CommandContext,
  edit: Extract<Edit, { kind: "patch" }>,
  isDryRun: boolean,
): Promise<number> {
  const { screen, flags, paths, env } = context;
  const owner = await settingsOwner(context);
  if (owner) {
    const path = `/api/settings${isDryRun ? "?dryRun=1" : ""}`;
    const { text, value } = await owner.send("PATCH", path, editAnswer, { body: edit.patch });
    screen.answer(...(flags.json ? [text] : planLines(value.plan)));
    if (!flags.json && !isDryRun) screen.note(`Revision ${value.revision} is in force.`);
    return 0;
  }
  const plan = await editFile(edit, paths.settings, { env, isDryRun, exchange: exchangeFiles });
  screen.answer(...(flags.json ? [JSON.stringify({ revision: null, plan })] : planLines(plan)));
  if (!flags.json && !isDryRun) screen.note(`Wrote ${paths.settings}; no daemon runs on it.`);
  return 0;
}

/** As the API shows them: from the daemon, or read as it would read them. */
async function shown(context: CommandContext): Promise<{ text: string; settings: Record<string, unknown> }> {
  const { paths, env } = context;
  const owner = await settingsOwner(context);
  if (owner) {
    const { text, value } = await owner.get("/api/settings", shownSettings);
    return { text, settings: value.settings };
  }
  const file = new SettingsFile({ path: paths.settings, env, flags: [] });
  const result = file.judge(file.look(), false);
  if (result.kind === "problems")
    throw new SegueError("settings_file_invalid", `${paths.settings} is not valid`, {
      problems: result.problems,
    });
  const { shown: settings, sources } = result.reading;
  return { text: JSON.stringify({ revision: null, path: paths.settings, settings, sources }), settings };
}

function patchOf(key: string, value: unknown): Record<string, unknown> {
  const [first = "", ...rest] = knownPath(key, {});
  return { [first]: rest.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) };
}

/** The path of a key or group; throws `usage`, naming the nearest, for one that is none. */
function knownPath(key: string, settings: Record<string, unknown>): string[] {
  const provider = /^providers\.(.+)$/s.exec(key)?.[1];
  const providers = settings["providers"];
  // A provider's name may hold dots, as a group it is then no key's beginning.
  if (provider !== undefined && isJsonObject(providers) && Object.hasOwn(providers, provider))
    return ["providers", provider];
  const path = key === "$schema" ? [key] : pathOf(key);
  if (key !== "$schema" && !knownAt(path)) throw new SegueError("usage", unknown(path, null, []).message);
  return path;
}

/** JSON where it parses, else text; for a key that takes text, what is not a text of JSON is taken as it is. */
function valueOf(key: string, written: string): unknown {
  const form = findKey(key)?.form;
  const isText = form === "text" || form === "choice";
  if (isText && !/^".*"$/s.test(written)) return written;
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}
