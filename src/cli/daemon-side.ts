import { SegueError } from "../core/errors.ts";
import { isJsonObject } from "../settings/merge-patch.ts";
import { SettingsFile } from "../settings/settings-file.ts";
import { daemonAnswer, shownSettings } from "./answers.ts";
import type { CommandContext } from "./command.ts";
import { settingsOwner } from "./settings-owner.ts";

/** How a program that is none of ours reaches the daemon. */
export interface DaemonSide {
  /** Without a slash at its end. */
  url: string;
  /** The environment variable that holds the token; undefined where the daemon wants none. */
  tokenVariable: string | undefined;
  /** Whether the settings name that variable themselves. */
  isTokenNamed: boolean;
}

/**
 * Where the daemon is, or will be by its settings, and what it wants to be shown. Throws `usage` where that cannot be
 * known before it runs.
 */
export async function daemonSide(context: CommandContext): Promise<DaemonSide> {
  const { flags } = context;
  const owner = await settingsOwner(context);
  const settings = owner
    ? (await owner.get("/api/settings", shownSettings)).value.settings
    : await settingsInFile(context);
  const running = owner ? (await owner.get("/api/daemon", daemonAnswer)).value.url : null;
  const server = isJsonObject(settings["server"]) ? settings["server"] : {};
  const url = flags.url ?? running ?? urlOf(server);
  return { url: reachable(url), ...tokenOf(server["token"]) };
}

async function settingsInFile({ paths, env }: CommandContext): Promise<Record<string, unknown>> {
  const file = new SettingsFile({ path: paths.settings, env, flags: [] });
  const result = file.judge(file.look(), false);
  if (result.kind === "ok") return result.reading.shown;
  throw new SegueError("settings_file_invalid", `${paths.settings} is not valid`, {
    problems: result.problems,
  });
}

function urlOf(server: Record<string, unknown>): string {
  const { host, port } = server;
  if (typeof host !== "string" || typeof port !== "number" || port === 0)
    throw new SegueError("usage", "The port of the daemon is picked when it starts (server.port is 0).", {
      hint: "start it first, or name its address with --url",
    });
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** An address for "all of this machine's" is none to ask at. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:").replace(/\/+$/, "");
}

/** A token that stands in the environment is asked for there; any other is expected where clients look for it. */
function tokenOf(shown: unknown): Pick<DaemonSide, "tokenVariable" | "isTokenNamed"> {
  if (typeof shown !== "string" || shown === "") return { tokenVariable: undefined, isTokenNamed: false };
  const name = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(shown)?.[1];
  return { tokenVariable: name ?? "SEGUE_TOKEN", isTokenNamed: name !== undefined };
}
