import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { projectFolder } from "../support/binary.ts";
import { cleanEnv, runChild } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";
import { deno } from "./program.ts";

setDefaultTimeout(60_000);

/** Runs a file of tests under Deno to its end. */
async function runUnderDeno(file: string): ReturnType<typeof runChild> {
  const folder = makeFolder("deno");
  const map = join(import.meta.dir, "import-map.json");
  const args = ["test", "--allow-all", "--no-check", "--import-map", map, join(import.meta.dir, file)];
  const env = cleanEnv(folder, { NO_COLOR: "1" });
  return runChild({ command: [deno ?? "", ...args], cwd: projectFolder, env });
}

test.skipIf(deno === undefined)("a store under Deno keeps every promise of one under Bun", async () => {
  const { exitCode, stdout, stderr } = await runUnderDeno("store-suite.ts");
  const [, passed = 0, failed] = /(\d+) passed \| (\d+) failed/.exec(stdout) ?? [];
  expect({ exitCode, failed, stderr, problems: exitCode === 0 ? "" : stdout }).toEqual({
    exitCode: 0,
    failed: "0",
    stderr: "",
    problems: "",
  });
  expect(Number(passed)).toBeGreaterThan(150);
});

test.skipIf(deno === undefined)("a suite that fails under Deno is seen to fail", async () => {
  const { exitCode, stdout } = await runUnderDeno("failing-suite.ts");
  expect(exitCode).toBe(1);
  expect(/(\d+) passed \| (\d+) failed/.exec(stdout)?.slice(1)).toEqual(["0", "13"]);
});
