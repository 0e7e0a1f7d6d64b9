import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { projectFolder } from "../support/binary.ts";
import { buildFlags } from "../support/build-flags.ts";
import { signedAdHoc } from "./mach-o-signature.ts";
import { outputOf } from "./output.ts";
import type { Target } from "./targets.ts";

/** What a build is of. */
export interface Source {
  version: string;
  /** With `-dirty` where more than it is built; `unknown` without git. */
  commit: string;
  /** When the commit was made; all files of an archive have this time. */
  madeAt: Date;
}

/** A tar archive knows no time before it. */
const withoutTime = new Date("1980-01-01T00:00:00Z");

/** What stands in the project's folder now. */
export async function presentSource(): Promise<Source> {
  const git = (...args: string[]): Promise<string | undefined> =>
    outputOf(["git", "--git-dir=.git", ...args], projectFolder).then(
      (text) => text.trim(),
      () => undefined,
    );
  const commit = await git("describe", "--always", "--abbrev=40", "--dirty", "--exclude=*");
  const seconds = await git("log", "-1", "--format=%ct");
  return {
    version: manifest.version,
    commit: commit ?? "unknown",
    madeAt: seconds === undefined ? withoutTime : new Date(Number(seconds) * 1000),
  };
}

/** Compiles the program with the flags of the script `build`; `target` and `runtime` are by default this machine's. */
export async function buildProgram(
  outfile: string,
  { version, commit }: Source,
  on?: { target: Target; runtime: string },
): Promise<void> {
  const place = on ? ["--target", on.target.bunTarget, "--compile-executable-path", on.runtime] : [];
  const defined = ["--define", `SEGUE_VERSION='${version}'`, "--define", `SEGUE_COMMIT='${commit}'`];
  const command = [process.execPath, "build", ...buildFlags(), ...place, ...defined];
  await outputOf([...command, "--outfile", outfile, join("src", "main.ts")], projectFolder);
  rmSync(`${outfile}.map`, { force: true });
  if (on?.target.isToBeSigned) writeFileSync(outfile, signedAdHoc(readFileSync(outfile), "segue"));
}

/** Whether this machine runs a build, and what it says of itself is true; throws where that is something else. */
export async function isRunHere(program: string, { version, commit }: Source): Promise<boolean> {
  const said = await outputOf([program, "version", "--json"], projectFolder).catch(() => undefined);
  if (said === undefined) return false;
  const told: { version: string; commit: string } = JSON.parse(said);
  if (told.version === version && told.commit === commit) return true;
  throw new Error(`${program} says that it is ${said.trim()}`);
}
