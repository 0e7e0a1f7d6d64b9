import { spawn } from "node:child_process";
import { join } from "node:path";
import { makeFolder } from "../support/workspace.ts";

const main = join(import.meta.dir, "..", "..", "src", "main.ts");

/** What a run of the program said and how it ended. */
export interface Run {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** A home of its own, in which command lines run as a user's would. */
export interface Home {
  folder: string;
  /** Runs `segue ARGS` and resolves when it has ended. */
  segue(args: readonly string[], options?: { stdin?: string; env?: Record<string, string> }): Promise<Run>;
}

/** A new home without settings, data or variables of Segue's. */
export function makeHome(): Home {
  const folder = makeFolder("home");
  return {
    folder,
    segue: (args, options = {}) =>
      run(args, options.stdin ?? "", { PATH: process.env["PATH"], HOME: folder, ...options.env }, folder),
  };
}

function run(
  args: readonly string[],
  stdin: string,
  env: Record<string, string | undefined>,
  cwd: string,
): Promise<Run> {
  const child = spawn(process.execPath, [main, ...args], { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
  const result: Run = { exitCode: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  // A command that does not read its standard input has ended before it was written.
  child.stdin.on("error", () => {}).end(stdin);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ ...result, exitCode }));
  });
}
