import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBinary } from "../support/binary.ts";
import { freePort } from "../support/ports.ts";
import { cleanEnv, runChild } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";
import type { Block, Page } from "./page.ts";
import { PageScript } from "./page-script.ts";
import { type Step, stepOf } from "./step.ts";

/** What became of a block. */
export interface Outcome {
  block: Block;
  /** What was done with it, in a word or a few. */
  done: string;
  /** What it printed. */
  printed: string;
  /** Why it is not as it should be. */
  problem?: string;
}

const words = {
  run: "ran",
  serve: "ran, as the daemon of the page",
  follow: "ran until it had shown something",
  check: "is valid",
  save: "was saved and read",
} as const;

/**
 * Runs a page from its first block to its last, in a home of its own: one shell for all, so that what a block leaves
 * (a folder, a variable, a daemon) is there for the next. The blocks behind one that went wrong do not run. It begins
 * in the folder `download`, with no more than what lies there; else with `segue` in the search path, and something
 * that can be verified and unpacked like an archive of it.
 */
export async function runPage(page: Page, download?: string): Promise<Outcome[]> {
  const home = makeFolder("page");
  const records = makeFolder("records");
  mkdirSync(join(home, ".config", "segue"), { recursive: true });
  // Told as users have it: by their home alone.
  const { XDG_CONFIG_HOME: _config, XDG_DATA_HOME: _data, ...env } = cleanEnv(home);
  if (download === undefined) {
    const programs = await fillHome(home);
    env["PATH"] = `${programs}:${env["PATH"]}`;
  }
  const steps = page.blocks.map(stepOf);
  const script = new PageScript({ steps, records, port: await freePort() });
  const command = ["sh", "-c", script.text];
  const { stderr } = await runChild({ command, cwd: download ?? home, env });
  return page.blocks.map((block, at) => outcome({ block, steps, records, at, stderr }));
}

/** Puts the program into the home, and what a user fetches; answers the folder for the search path. */
async function fillHome(home: string): Promise<string> {
  const program = await ensureBinary();
  const programs = join(home, "bin");
  mkdirSync(programs);
  symlinkSync(program, join(programs, "segue"));
  const name = "segue-1.2.3-anywhere";
  mkdirSync(join(home, name));
  // The program itself is too large to be packed for each page.
  writeFileSync(join(home, name, "segue"), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  const pack = `tar -czf ${name}.tar.gz ${name} && rm -r ${name} && sha256sum ${name}.tar.gz >SHA256SUMS`;
  await runChild({ command: ["sh", "-c", pack], cwd: home, env: cleanEnv(home) });
  return programs;
}

interface Ran {
  block: Block;
  steps: readonly Step[];
  records: string;
  at: number;
  stderr: string;
}

function outcome({ block, steps, records, at, stderr }: Ran): Outcome {
  const step = steps[at];
  const printed = recorded(records, at, "out");
  if (step === undefined || step.kind === "show")
    return { block, printed, done: `not run: ${step?.reason ?? ""}` };
  if (step.kind === "expect") {
    const output = recorded(records, at - 1, "out");
    if (step.pattern.test(output)) return { block, printed, done: "is what was printed" };
    return { block, printed, done: "went wrong", problem: `what was printed is: ${output}` };
  }
  const wanted = "exitCode" in step ? step.exitCode : 0;
  const ended = recorded(records, at, "end").trim();
  if (ended === String(wanted)) return { block, printed, done: words[step.kind] };
  const said = `it ended with ${ended || "a failure"}: ${printed}${recorded(records, at, "err")}${stderr}`;
  const wasBegun = existsSync(join(records, `${at}.out`));
  return { block, printed, done: "went wrong", problem: wasBegun ? said : "it was not reached" };
}

function recorded(records: string, at: number, name: string): string {
  const path = join(records, `${at}.${name}`);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
