import { realpathSync } from "node:fs";
import { daemonAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";

/**
 * The daemon that looks after the settings that are meant; undefined where they are a file that none does. With
 * `--url` it is that daemon. Else it is the one on the data folder, unless none answers, or another settings file was
 * named than its own.
 */
export async function settingsOwner(context: CommandContext): Promise<DaemonClient | undefined> {
  const { flags, env, paths } = context;
  const client = await DaemonClient.of(context);
  if (flags.url !== undefined) return client;
  if (!(await client.isReachable())) return undefined;
  const isNamed = flags.settings !== undefined || Boolean(env["SEGUE_SETTINGS"]);
  if (!isNamed) return client;
  const { settingsPath } = (await client.get("/api/daemon", daemonAnswer)).value;
  return realPath(settingsPath) === realPath(paths.settings) ? client : undefined;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
