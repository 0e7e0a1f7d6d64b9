import { cpSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** The tree as it is. */
export const root = join(import.meta.dir, "../..");
const folder = join(import.meta.dir, "mutants");

/** A deliberate fault: a patch of the source, and the promise that it is meant to break. */
export interface Mutant {
  name: string;
  patch: string;
  promise: string;
  /** What is wrong with it, in a sentence. */
  fault: string;
}

/** All mutants, by name. Each patch begins with a line `PROMISE: FAULT`. */
export function mutants(): Mutant[] {
  const patches = readdirSync(folder).filter((file) => file.endsWith(".patch"));
  return patches.sort().map((file) => {
    const patch = join(folder, file);
    const [first = ""] = readFileSync(patch, "utf8").split("\n");
    const [promise = "", fault = ""] = first.split(/: (.*)/s);
    return { name: basename(file, ".patch"), patch, promise, fault };
  });
}

/** What git says against a patch; empty where it applies to the tree at `cwd`. */
export function applied(patch: string, cwd = root, options: readonly string[] = []): string {
  // Whatever repository the folder lies in is none of this patch's business.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: join(cwd, "..") };
  const { exitCode, stderr } = Bun.spawnSync(["git", "apply", ...options, patch], { cwd, env });
  return exitCode === 0 ? "" : stderr.toString() || `git apply ended with ${exitCode}`;
}

/** Does something in a copy of the tree in which a mutant was made, and takes the copy away again. */
export async function inMutatedTree<T>(
  { name, patch }: Mutant,
  work: (tree: string) => Promise<T>,
): Promise<T> {
  const tree = realpathSync(mkdtempSync(join(tmpdir(), "segue-mutant-")));
  try {
    for (const part of ["src", "test", "package.json", "tsconfig.json"])
      cpSync(join(root, part), join(tree, part), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
    const problem = applied(patch, tree);
    if (problem !== "") throw new Error(`${name} does not apply: ${problem}`);
    return await work(tree);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
