import { parseArgs } from "node:util";
import { Coverage } from "./coverage.ts";
import { promiseOf, search } from "./search.ts";
import { profiles } from "./workload.ts";

/*
 * Lives lives of all profiles in turn until a promise is broken or the time is over, and prints what came of it in one
 * line of JSON. `mutants.ts` runs it in a tree in which something was made wrong.
 */

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
  },
});

async function hunt(): Promise<object> {
  const until = performance.now() + Number(values.seconds) * 1000;
  let steps = 0;
  for (let round = 0; performance.now() < until; round++)
    for (const profile of Object.keys(profiles)) {
      const seed = Number(values.seed) + round;
      const isOver = ({ lives }: { lives: number }): boolean => lives > 0 || performance.now() >= until;
      const report = await search({ seed, profile, coverage: new Coverage(), isOver });
      steps += report.steps;
      if (!report.failure) continue;
      const { life, broken } = report.failure;
      const text = broken instanceof Error ? broken.message : String(broken);
      return { profile, life, steps, promise: promiseOf(broken), text };
    }
  return { steps };
}

process.stdout.write(`${JSON.stringify(await hunt())}\n`);
process.exit(0);
