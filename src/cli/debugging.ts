import { readFileSync } from "node:fs";
import { readSettings } from "../settings/read.ts";

/**
 * Whether the user asked for details: `log.level` is `debug` on the command line or in the settings file.
 * Settings that cannot be read ask for nothing.
 */
export function isDebugging(
  argv: readonly string[],
  settingsPath: string,
  env: Record<string, string | undefined>,
): boolean {
  if (argv.some((arg) => /^(--set=)?log\.level=(debug|"debug")$/.test(arg))) return true;
  try {
    const bytes = readFileSync(settingsPath);
    const result = readSettings({
      bytes,
      path: settingsPath,
      env,
      flags: [],
      readFile: (path) => readFileSync(path),
    });
    return result.kind === "ok" && result.reading.settings.log.level === "debug";
  } catch {
    return false;
  }
}
