import { parseArgs } from "node:util";
import { type PastLife, livesIn } from "./lives-in.ts";
import { inMutatedTree, type Mutant, mutants, root } from "./mutant.ts";

/*
 * Makes each deliberate fault in turn and searches for it: `bun run simulate:mutants`. Prints which promise it was
 * found by, in which life and after how many steps; ends with 1 where one was not found.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { lives: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } },
});
const lives = Number(values.lives);

/** What a search in a mutated tree came to. */
interface Hunted {
  /** The life that breaks with the mutant and passes without it. */
  found: PastLife | undefined;
  /** How many broke that break without it, too. */
  notItsOwn: number;
  steps: number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** By their place: lives that pass in the tree as it is, and lives that do not. */
const withoutMutant = new Map<number, boolean>();

/** Whether a life passes in the tree as it is; where it does not, breaking it finds nothing. */
async function passesWithout({ place }: PastLife): Promise<boolean> {
  const known = withoutMutant.get(place);
  if (known !== undefined) return known;
  let passes = false;
  for await (const { promise } of livesIn(root, values.seed, place, place + 1))
    passes = promise === undefined;
  withoutMutant.set(place, passes);
  return passes;
}

async function hunted(tree: string): Promise<Hunted> {
  let steps = 0;
  let notItsOwn = 0;
  for (let next = 0; next < lives;)
    for await (const lived of livesIn(tree, values.seed, next, lives)) {
      next = lived.place + 1;
      steps += lived.steps;
      if (lived.promise === undefined) continue;
      if (await passesWithout(lived)) return { found: lived, notItsOwn, steps };
      notItsOwn += 1;
    }
  return { found: undefined, notItsOwn, steps };
}

/** Whether it was found. */
async function look(mutant: Mutant): Promise<boolean> {
  const startedAt = performance.now();
  const { found, notItsOwn, steps } = await inMutatedTree(mutant, hunted);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const survives = notItsOwn === 0 ? "SURVIVES" : "BREAKS ONLY WHAT BREAKS WITHOUT IT";
  const cells = [
    mutant.name,
    mutant.promise,
    found?.promise ?? survives,
    found ? `${found.life} (${found.profile})` : "",
    (found ? found.place : lives - 1) + 1,
    steps,
    seconds,
    (found?.text ?? mutant.fault).replaceAll(/[\n|]/g, " ").slice(0, 110),
  ];
  print(`| ${cells.join(" | ")} |`);
  return found !== undefined;
}

const unknown = positionals.filter((name) => !mutants().some((mutant) => mutant.name === name));
if (unknown.length > 0) {
  print(`there is no mutant ${unknown.join(", ")}`);
  process.exit(2);
}
const chosen = mutants().filter(({ name }) => positionals.length === 0 || positionals.includes(name));
print("| mutant | meant to break | found by | life | lives | steps | seconds | as |");
print("|---|---|---|---|---|---|---|---|");
const survivors: string[] = [];
for (const mutant of chosen) if (!(await look(mutant))) survivors.push(mutant.name);
print("");
print(
  `${chosen.length - survivors.length} of ${chosen.length} were found in ${Math.round(performance.now() / 1000)} s` +
    (survivors.length > 0 ? `; not: ${survivors.join(", ")}` : ""),
);
process.exit(survivors.length > 0 ? 1 : 0);
