import { SegueError } from "../core/errors.ts";
import { type Edit, editSettings } from "./edit.ts";
import { type ChangePlan, planChange } from "./plan.ts";
import { type ExchangeFiles, replaceFile } from "./replace-file.ts";
import { SettingsFile } from "./settings-file.ts";

/** As often an edit is made anew because somebody else changed the file meanwhile. */
const mostAttempts = 5;

/**
 * Edits a settings file that no daemon of ours looks after, with the code that a daemon edits it with. Answers what
 * the edit changes. Throws `settings_file_invalid`, `settings_invalid`, `legacy_settings` or `settings_not_writable`,
 * and has then changed nothing.
 */
export async function editFile(
  edit: Edit,
  path: string,
  options: {
    env: Readonly<Record<string, string | undefined>>;
    isDryRun: boolean;
    exchange: ExchangeFiles;
  },
): Promise<ChangePlan> {
  const file = new SettingsFile({ path, env: options.env, flags: [] });
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const source = file.look();
    const before = file.judge(source, false);
    if (before.kind === "problems")
      throw new SegueError("settings_file_invalid", `${path} is not valid as it stands`, {
        hint: "correct it first",
        problems: before.problems,
      });
    const bytes = source.kind === "file" ? source.bytes : null;
    const result = editSettings({ bytes, reading: before.reading }, edit, (text) => file.read(text));
    const plan = planChange(before.reading.settings, result.reading.settings, []);
    const expected = source.kind === "file" ? source.hash : null;
    if (
      options.isDryRun ||
      (await replaceFile(path, { bytes: result.bytes, expected, exchange: options.exchange }))
    )
      return plan;
  }
  throw new SegueError("settings_not_writable", `${path} is being changed by another program all the time`, {
    hint: "try again when it is done",
  });
}
