import {
  constants,
  copyFileSync,
  cpSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { projectFolder } from "./binary.ts";
import type { Scope } from "./processes.ts";
import { makeFolder } from "./workspace.ts";

/** How another build of the program differs from the one at hand. */
export interface Variant {
  version: string;
  /** What becomes of the text of a file, by its path; one that is not there is made of the empty text. */
  edits?: Readonly<Record<string, (text: string) => string>>;
  scope?: Scope;
}

/** Builds the program anew, in a folder of its own, as `bun run build` does; answers where the executable is. */
export async function buildVariant({ version, edits = {}, scope = "test" }: Variant): Promise<string> {
  const folder = makeFolder("variant", scope);
  cpSync(join(projectFolder, "src"), join(folder, "src"), { recursive: true });
  for (const file of ["tsconfig.json", "package.json"]) cpSync(join(projectFolder, file), join(folder, file));
  symlinkSync(join(projectFolder, "node_modules"), join(folder, "node_modules"));
  const withVersion = (text: string): string => text.replace(/"version": "[^"]*"/, `"version": "${version}"`);
  for (const [path, edit] of Object.entries({ ...edits, "package.json": withVersion }))
    editFile(join(folder, path), edit);
  const build = Bun.spawn([process.execPath, "run", "build"], {
    cwd: folder,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [said, complained, exitCode] = await Promise.all([
    new Response(build.stdout).text(),
    new Response(build.stderr).text(),
    build.exited,
  ]);
  if (exitCode !== 0) throw new Error(`the variant was not built (${exitCode})\n${said}${complained}`);
  return join(folder, "dist", "segue");
}

/** Puts a program in the place of an executable, in one step, as an installer does. */
export function installProgram(program: string, executable: string): void {
  const temporary = `${executable}.new`;
  copyFileSync(program, temporary, constants.COPYFILE_FICLONE);
  renameSync(temporary, executable);
}

function editFile(path: string, edit: (text: string) => string): void {
  const before = readOrEmpty(path);
  const after = edit(before);
  if (after === before) throw new Error(`the edit of ${path} changes nothing`);
  writeFileSync(path, after);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
