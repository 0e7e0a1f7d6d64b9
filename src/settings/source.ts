import { sha256 } from "#platform/hash";
import { constants } from "node:fs";
import { errorText } from "../core/errors.ts";
import { type Files, systemFiles } from "../core/files.ts";

/** What stands where the settings file should be. */
export type SettingsSource =
  | { kind: "file"; bytes: Uint8Array; hash: string; modifiedAt: number }
  | { kind: "missing" }
  | { kind: "unreadable"; reason: string };

/** A settings file is at most this long (contract section 2). */
const longestSettingsBytes = 1024 * 1024;

/** SHA-256 of bytes, in hexadecimal. */
export function hashOf(bytes: Uint8Array): string {
  return sha256(bytes, "hex");
}

/**
 * Reads the file once. Anything but a regular file of at most 1 MiB is `unreadable`, with a reason that names the
 * way out. Never throws, and never waits for a writer (a named pipe). Synchronous: four calls of microseconds each, which
 * through the pool of threads take half a millisecond, and far longer where the processors are busy.
 */
export function readSource(path: string, files: Files = systemFiles): SettingsSource {
  try {
    // Without O_NONBLOCK, opening a named pipe waits until somebody writes into it.
    const file = files.openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const about = files.fstatSync(file);
      if (!about.isFile()) return { kind: "unreadable", reason: "it is not a regular file" };
      if (about.size > longestSettingsBytes)
        return { kind: "unreadable", reason: `it is longer than 1 MiB (${about.size} bytes)` };
      const bytes = new Uint8Array(files.readFileSync(file));
      return { kind: "file", bytes, hash: hashOf(bytes), modifiedAt: about.mtimeMs };
    } finally {
      files.closeSync(file);
    }
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    if (code === "EACCES" || code === "EPERM")
      return { kind: "unreadable", reason: "its permissions do not let this user read it" };
    return { kind: "unreadable", reason: errorText(thrown) };
  }
}
