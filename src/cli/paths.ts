import { join, isAbsolute, resolve } from "node:path";
import { SegueError } from "../core/errors.ts";

/** Where the settings file and the data folder are; both absolute. Neither needs to exist. */
export interface Paths {
  settings: string;
  data: string;
}

/**
 * Contract section 2: the flag, else $SEGUE_SETTINGS and $SEGUE_DATA, else the user's folders by the XDG Base
 * Directory Specification, which ignores relative values. An empty variable counts as unset, an empty flag is an
 * error of usage.
 */
export function findPaths(
  flags: { settings?: string; data?: string },
  env: Record<string, string | undefined>,
  home: string,
): Paths {
  const config = xdgFolder(env["XDG_CONFIG_HOME"], join(home, ".config"));
  const share = xdgFolder(env["XDG_DATA_HOME"], join(home, ".local", "share"));
  return {
    settings: resolve(
      given("--settings", flags.settings) ??
        (env["SEGUE_SETTINGS"] || join(config, "segue", "settings.json")),
    ),
    data: resolve(given("--data", flags.data) ?? (env["SEGUE_DATA"] || join(share, "segue"))),
  };
}

function given(flag: string, value: string | undefined): string | undefined {
  if (value === "") throw new SegueError("usage", `${flag} needs a path, got an empty one.`);
  return value;
}

function xdgFolder(value: string | undefined, fallback: string): string {
  return value && isAbsolute(value) ? value : fallback;
}
