import { copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { Developing } from "../e2e/developing.ts";
import { makeFolder } from "../support/workspace.ts";
import type { Benchmark } from "./benchmark.ts";

const changesPerRound = 8;

/** How soon a change of the program runs. */
export const developing: Benchmark = {
  name: "dev",
  about: `\`segue dev\`: from the rename that puts another executable in place until that serves, and Segue's own share of the time in which nothing was begun; ${changesPerRound} a round`,
  baseline: "none",
  run: async ({ executables, rounds = 1 }) => {
    const whole: number[] = [];
    const own: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const measured = await measure(await executables.segue());
      whole.push(...measured.whole);
      own.push(...measured.own);
    }
    return [
      { what: "change to serving", unit: "ms", segue: whole },
      { what: "Segue's share of the gap", unit: "ms", segue: own, goal: "<= 1000 ms" },
    ];
  },
};

async function measure(executable: string): Promise<{ whole: number[]; own: number[] }> {
  const folder = makeFolder("bench");
  const program = join(folder, "segue");
  const next = join(folder, "next");
  copyFileSync(executable, program);
  const dev = new Developing(folder, [program], {});
  await dev.served(1);
  const whole: number[] = [];
  for (let change = 1; change <= changesPerRound; change++) {
    copyFileSync(executable, next);
    const changedAt = performance.now();
    renameSync(next, program);
    await dev.served(change + 1);
    whole.push(performance.now() - changedAt);
  }
  const own = dev.gaps().map(({ ownMs }) => ownMs);
  dev.child.signal("SIGTERM");
  await dev.child.ended();
  return { whole, own };
}
