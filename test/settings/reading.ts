import type { Problem } from "../../src/core/errors.ts";
import { type Reading, readSettings, type SettingsInput } from "../../src/settings/read.ts";

/** What a test says of the world around a settings file at /etc/segue/settings.json; the rest is empty. */
export interface Around {
  env?: Record<string, string>;
  /** By absolute path. */
  files?: Record<string, string | Uint8Array>;
  flags?: SettingsInput["flags"];
}

/** The input of a settings file with this text; null for no file. */
export function inputOf(text: string | Uint8Array | null, around: Around = {}): SettingsInput {
  const { env = {}, files = {}, flags = [] } = around;
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const readFile = (path: string): Uint8Array => {
    const found = files[path];
    if (found === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    return typeof found === "string" ? new TextEncoder().encode(found) : found;
  };
  return { bytes, path: "/etc/segue/settings.json", env, flags, readFile };
}

/** The reading of a file in which nothing is wrong. */
export function read(text: string | Uint8Array | null, around: Around = {}): Reading {
  const result = readSettings(inputOf(text, around));
  if (result.kind === "ok") return result.reading;
  throw new Error(`problems: ${result.problems.map(({ message }) => message).join("; ")}`);
}

/** The problems of a file; none where nothing is wrong. */
export function problemsOf(text: string | Uint8Array | null, around: Around = {}): Problem[] {
  const result = readSettings(inputOf(text, around));
  return result.kind === "ok" ? [] : result.problems;
}
