import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureBinary, projectFolder } from "../support/binary.ts";
import { buildFlags } from "../support/build-flags.ts";
import { cleanEnv, runChild } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";

/** The programs of `baseline/`. */
export type BaselineName =
  | "bare-server"
  | "bare-inbox"
  | "bare-store"
  | "bare-bulk"
  | "bare-watch"
  | "bare-patch"
  | "bare-relay"
  | "claim-cost";

const folder = join(projectFolder, "dist", "bench");

/**
 * The executables that are compared, in an ignored folder. Segue's is a copy: one that is built meanwhile changes
 * nothing for the run. Baselines are built once a run, when they are first asked for, with Segue's own flags.
 */
export class Executables {
  #segue: Promise<string> | undefined;
  readonly #baselines = new Map<BaselineName, Promise<string>>();

  segue(): Promise<string> {
    this.#segue ??= copyOfSegue();
    return this.#segue;
  }

  baseline(name: BaselineName): Promise<string> {
    const known = this.#baselines.get(name) ?? build(name);
    this.#baselines.set(name, known);
    return known;
  }
}

async function copyOfSegue(): Promise<string> {
  const copy = join(folder, "segue");
  mkdirSync(folder, { recursive: true });
  copyFileSync(await ensureBinary(), copy);
  return copy;
}

async function build(name: BaselineName): Promise<string> {
  const outfile = join(folder, name);
  const source = join(import.meta.dir, "baseline", `${name}.ts`);
  const result = await runChild({
    command: [process.execPath, "build", ...buildFlags(), "--outfile", outfile, source],
    cwd: projectFolder,
    env: cleanEnv(makeFolder("bench-build")),
  });
  if (result.exitCode !== 0) throw new Error(`${name} could not be built\n${result.stdout}${result.stderr}`);
  return outfile;
}
