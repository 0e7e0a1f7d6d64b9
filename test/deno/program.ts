import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../support/binary.ts";

/** Deno as its package brings it; the package has none for every system. */
const target = `${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`;
const executable = join(projectFolder, "node_modules", "@deno", target, "deno");

/** Deno's executable; undefined where there is none for this system. */
export const deno: string | undefined = existsSync(executable) ? executable : undefined;

/** Segue from its source under Deno, as the documentation has it: what stands before a command's name. */
export const segueUnderDeno: readonly string[] = [
  executable,
  "run",
  "--allow-all",
  "--unstable-no-legacy-abort",
  join(projectFolder, "src", "main.ts"),
];
