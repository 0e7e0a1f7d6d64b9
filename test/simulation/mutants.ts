import { join } from "node:path";
import { parseArgs } from "node:util";
import { inMutatedTree, type Mutant, mutants } from "./mutant.ts";
import { replay } from "./search.ts";

/*
 * Makes each deliberate fault in turn and searches for it: `bun run simulate:mutants`. Prints which promise it was
 * found by, in which life and after how many steps; ends with 1 where one was not found.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "90" }, seed: { type: "string", default: "1" } },
});

/** What a search in a mutated tree came to. */
interface Hunted {
  profile?: string;
  life?: number;
  steps: number;
  promise?: string;
  text?: string;
}

/** A mutant may turn in a circle: so much longer than it may search it is waited for. */
const patienceSeconds = 60;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function hunted(tree: string): Promise<Hunted> {
  const { seconds, seed } = values;
  const program = join(tree, "test/simulation/mutant-hunt.ts");
  const child = Bun.spawn([process.execPath, program, "--seconds", seconds, "--seed", seed], {
    cwd: tree,
    stdout: "pipe",
    stderr: "ignore",
    timeout: (Number(seconds) + patienceSeconds) * 1000,
    killSignal: "SIGKILL",
  });
  const text = await new Response(child.stdout).text();
  await child.exited;
  if (child.signalCode !== null)
    return { steps: 0, promise: "it comes to rest", text: "it turns in a circle" };
  try {
    return JSON.parse(text.trim().split("\n").at(-1) ?? "");
  } catch {
    return { steps: 0, promise: "it comes to rest", text: "the process ends by itself" };
  }
}

/** Whether the same life passes in the tree as it is; where it does not, nothing was found. */
async function isItsOwn({ life, profile }: Hunted): Promise<boolean> {
  if (life === undefined || profile === undefined) return true;
  return (await replay(life, profile)).broken === undefined;
}

/** Whether it was found. */
async function look(mutant: Mutant): Promise<boolean> {
  const found = await inMutatedTree(mutant, hunted);
  const isFound = found.promise !== undefined && (await isItsOwn(found));
  const where = found.life === undefined ? "" : ` life ${found.life} (${found.profile})`;
  const what = isFound
    ? `${found.promise}${where}`
    : found.promise === undefined
      ? "SURVIVES"
      : `BROKEN WITHOUT IT${where}`;
  print(
    `| ${mutant.name} | ${mutant.promise} | ${what} | ${found.steps} | ${(found.text ?? mutant.fault).slice(0, 110)} |`,
  );
  return isFound;
}

const chosen = mutants().filter(({ name }) => positionals.length === 0 || positionals.includes(name));
print("| mutant | meant to break | found by | steps | as |");
print("|---|---|---|---|---|");
const survivors: string[] = [];
for (const mutant of chosen) if (!(await look(mutant))) survivors.push(mutant.name);
print("");
print(
  `${chosen.length - survivors.length} of ${chosen.length} were found${survivors.length > 0 ? `; not: ${survivors.join(", ")}` : ""}`,
);
process.exit(survivors.length > 0 ? 1 : 0);
