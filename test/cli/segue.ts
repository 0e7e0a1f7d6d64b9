import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
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
  /** Runs `segue ARGS | head -n 1`; `stdout` is that line, the exit code is that of `segue`. */
  firstLineOf(args: readonly string[]): Promise<Run>;
}

/** A new home without settings, data or variables of Segue's. */
export function makeHome(): Home {
  const folder = makeFolder("home");
  const env = { PATH: process.env["PATH"], HOME: folder };
  const inPipe = '{ "$@"; echo "$?" >"$HOME/exit-code"; } | head -n 1';
  return {
    folder,
    segue: (args, options = {}) =>
      run([process.execPath, main, ...args], {
        stdin: options.stdin ?? "",
        env: { ...env, ...options.env },
        folder,
      }),
    firstLineOf: async (args) => {
      const command = ["sh", "-c", inPipe, "sh", process.execPath, main, ...args] as const;
      const said = await run(command, { stdin: "", env, folder });
      return { ...said, exitCode: Number(readFileSync(join(folder, "exit-code"), "utf8")) };
    },
  };
}

function run(
  [program, ...args]: readonly [string, ...string[]],
  options: { stdin: string; env: Record<string, string | undefined>; folder: string },
): Promise<Run> {
  const child = spawn(program, args, {
    env: options.env,
    cwd: options.folder,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const result: Run = { exitCode: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  // A command that does not read its standard input has ended before it was written.
  child.stdin.on("error", () => {}).end(options.stdin);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ ...result, exitCode }));
  });
}
