import { join } from "node:path";
import { cleanEnv, runChild } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";
import { alternate, type Benchmark } from "./benchmark.ts";
import type { Executables } from "./executables.ts";

const sessions = 10_000;
const many = 1_000_000;
const few = 1000;

/** Whether taking a message costs more where many wait. */
export const claims: Benchmark = {
  name: "claims",
  about: `the claim of a message in Segue's own store, one a commit, durability \`normal\`, with ${many} pending over ${sessions} sessions`,
  baseline: `the same with ${few} pending`,
  run: async ({ executables, rounds = 5 }) => {
    const folder = makeFolder("bench");
    const { segue, baseline } = await alternate(rounds, {
      segue: () => costOfClaim(executables, folder, many),
      baseline: () => costOfClaim(executables, folder, few),
    });
    return [{ what: "claim, p50", unit: "us", segue, baseline, goal: "<= 1.2 x" }];
  },
};

/** The first of each fills its database; the others find it as the one before left it: full. */
async function costOfClaim(executables: Executables, folder: string, pending: number): Promise<number> {
  const file = join(folder, `${pending}.db`);
  const command = [await executables.baseline("claim-cost"), file, String(pending), String(sessions)];
  const env = cleanEnv(folder);
  const { stdout, stderr, exitCode } = await runChild({ command, cwd: folder, env, scope: "file" });
  if (exitCode !== 0 || !(Number(stdout) > 0)) throw new Error(`claim-cost failed: ${stdout}${stderr}`);
  return Number(stdout);
}
