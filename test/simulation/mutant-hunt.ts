import { writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { lifeSeed, promiseOf, replay } from "./search.ts";
import { profiles } from "./workload.ts";

/*
 * Lives lives of all profiles in turn, from one place in their order to another, and prints what came of each in a line
 * of JSON. `mutants.ts` runs it in a tree in which something was made wrong, and in the tree as it is.
 */

/** What came of one life; without `steps` it has only begun. */
export interface Lived {
  place: number;
  life: number;
  profile: string;
  steps?: number;
  promise?: string;
  text?: string;
}

const { values } = parseArgs({
  options: { seed: { type: "string" }, from: { type: "string" }, to: { type: "string" } },
});

/** At once: the next life may be one that lets nothing out any more. */
function print(lived: Lived): void {
  writeSync(1, `${JSON.stringify(lived)}\n`);
}

async function liveAt(place: number): Promise<void> {
  const names = Object.keys(profiles);
  const profile = names[place % names.length] ?? "";
  const life = lifeSeed(Number(values.seed), Math.floor(place / names.length));
  print({ place, life, profile });
  const { steps, broken } = await replay(life, profile);
  const promise = promiseOf(broken);
  const text = broken instanceof Error ? broken.message : String(broken);
  print({ place, life, profile, steps, ...(promise !== undefined && { promise, text }) });
}

for (let place = Number(values.from); place < Number(values.to); place++) await liveAt(place);
process.exit(0);
