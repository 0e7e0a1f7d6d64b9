import { readFileSync } from "node:fs";
import { SegueError } from "../core/errors.ts";
import { flagProblems, type Flag } from "../settings/flags.ts";

/** Flags of `segue serve` that set something, as they were written. */
export interface SettingFlags {
  /** `KEY=VALUE` each. */
  set: readonly string[];
  host?: string;
  port?: number;
}

/**
 * The flags as settings, in the order in which later ones win. What is wrong with them by themselves is an error
 * of usage; whether they go with the file is judged with the file.
 */
export function readSettingFlags(
  given: SettingFlags,
  settingsPath: string,
  env: Record<string, string | undefined>,
): Flag[] {
  const flags: Flag[] = [
    ...given.set.map(parseSet),
    ...(given.host === undefined ? [] : [{ key: "server.host", value: given.host, name: "--host" }]),
    ...(given.port === undefined ? [] : [{ key: "server.port", value: given.port, name: "--port" }]),
  ];
  const problems = flagProblems(flags, { path: settingsPath, env, readFile: (path) => readFileSync(path) });
  if (problems.length > 0) throw new SegueError("usage", problems.map(({ message }) => message).join("; "));
  return flags;
}

/** `KEY=VALUE`: VALUE is JSON where it parses, else a string. The text itself is never shown: it may hold a secret. */
function parseSet(text: string): Flag {
  const at = text.indexOf("=");
  if (at < 1) throw new SegueError("usage", "--set needs KEY=VALUE, as in --set log.level=debug.");
  return { key: text.slice(0, at).trim(), value: jsonOrText(text.slice(at + 1)) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
