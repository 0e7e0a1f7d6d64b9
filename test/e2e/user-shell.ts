import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBinary } from "../support/binary.ts";
import { cleanEnv, runChild, startChild, type Child, type Ending } from "../support/processes.ts";
import { runSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";

/** What `segue examples NAME` prints. */
export async function exampleText(name: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runSegue(["examples", name]);
  if (exitCode !== 0) throw new Error(`segue examples ${name} ended with ${exitCode}: ${stderr}`);
  return stdout;
}

interface UserShellOptions {
  /** The daemon whose data folder, settings file and address the user's commands find; by default none. */
  daemon?: Segue;
  env?: Readonly<Record<string, string>>;
}

/** A user's shell: a home of its own, and `segue` in the search path. */
export class UserShell {
  /** The user's home, and where commands run. */
  readonly folder: string;
  readonly #env: Record<string, string>;

  private constructor(folder: string, env: Record<string, string>) {
    this.folder = folder;
    this.#env = env;
  }

  static async open({ daemon, env = {} }: UserShellOptions = {}): Promise<UserShell> {
    const folder = makeFolder("user");
    const programs = join(folder, "bin");
    mkdirSync(programs);
    symlinkSync(await ensureBinary(), join(programs, "segue"));
    const clean = cleanEnv(folder, { ...placeOf(daemon), ...env });
    return new UserShell(folder, { ...clean, PATH: `${programs}:${clean["PATH"]}` });
  }

  /** Writes the example of this name into the home, as the user would, and answers its path. */
  async take(name: string, change = (text: string): string => text): Promise<string> {
    const path = join(this.folder, name);
    writeFileSync(path, change(await exampleText(name)));
    return path;
  }

  /** Runs a command to its end. */
  run(command: readonly string[], stdin?: string): Promise<Ending & { stdout: string; stderr: string }> {
    return runChild({ ...this.#how(command), ...(stdin === undefined ? {} : { stdin }) });
  }

  /** Starts a command that does not end by itself. */
  start(command: readonly string[]): Child {
    return startChild(this.#how(command));
  }

  #how(command: readonly string[]): { command: readonly string[]; cwd: string; env: Record<string, string> } {
    return { command, cwd: this.folder, env: this.#env };
  }
}

function placeOf(daemon: Segue | undefined): Record<string, string> {
  return daemon
    ? { SEGUE_URL: daemon.url, SEGUE_DATA: daemon.dataDir, SEGUE_SETTINGS: daemon.settingsPath }
    : {};
}
