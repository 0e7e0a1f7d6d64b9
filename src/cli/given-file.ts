import { readFileSync } from "node:fs";
import { SegueError } from "../core/errors.ts";

/** The bytes of a settings file that was named, as `shown`. Throws `settings_invalid` where it cannot be read. */
export function readGivenFile(path: string, shown: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw unreadable(thrown, shown);
  }
}

/** The bytes of the daemon's own settings file; null where there is none yet, which means defaults. */
export function readOwnFile(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return null;
    throw unreadable(thrown, path);
  }
}

const reasons = new Map<unknown, string>([
  ["ENOENT", "there is no such file"],
  ["EACCES", "you may not read it"],
  ["EISDIR", "it is a folder"],
  ["ENOTDIR", "a part of its path is no folder"],
  ["ELOOP", "its symbolic links lead in a circle"],
]);

function unreadable(thrown: unknown, shown: string): SegueError {
  const code = codeOf(thrown);
  const why = reasons.get(code) ?? String(code ?? thrown);
  return new SegueError("settings_invalid", `${shown} cannot be read: ${why}.`, { cause: thrown });
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}
