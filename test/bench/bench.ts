import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { bulk } from "./bulk.ts";
import { claims } from "./claims.ts";
import { developing } from "./developing.ts";
import { edits } from "./edits.ts";
import { Executables } from "./executables.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { idle } from "./idle.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { patches } from "./patches.ts";
import { posts } from "./posts.ts";
import { eventReaders } from "./readers.ts";
import { restarts } from "./restarts.ts";
import { sessions } from "./sessions.ts";
import { size } from "./size.ts";
import { stall } from "./stall.ts";
import { coldStart, start } from "./start.ts";
import { printTable, type Row, rowOf } from "./table.ts";
import { turnsEndToEnd } from "./turns.ts";
import { vendors } from "./vendors.ts";

const benchmarks: readonly Benchmark[] = [
  start,
  coldStart,
  restarts,
  developing,
  size,
  memory,
  posts,
  bulk,
  turnsEndToEnd,
  latency,
  claims,
  edits,
  patches,
  stall,
  sessions,
  eventReaders,
  idle,
  vendors,
];

const usage = `Usage: bun run bench [NAME…] [--rounds N] [--json FILE]

Measures the compiled program against baselines of the same run. Without a name, all:

${benchmarks.map(({ name, about, baseline }) => `  ${name.padEnd(9)} ${about}\n            against: ${baseline}`).join("\n")}`;

/** What a command line asks for. */
interface Wish {
  chosen: readonly Benchmark[];
  rounds: number | undefined;
  json: string | undefined;
}

/** Throws, with a sentence, for a command line that means nothing. */
function readCommandLine(args: readonly string[]): Wish | "help" {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: "string" }, json: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true) return "help";
  const unknown = positionals.find((name) => benchmarks.every((benchmark) => benchmark.name !== name));
  if (unknown !== undefined) throw new Error(`there is no benchmark ${unknown}`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error("--rounds takes a whole number above 0");
  const chosen =
    positionals.length === 0 ? benchmarks : benchmarks.filter(({ name }) => positionals.includes(name));
  return { chosen, rounds, json: values.json };
}

async function runAll({ chosen, rounds }: Wish): Promise<Row[]> {
  const executables = new Executables();
  const rows: Row[] = [];
  for (const benchmark of chosen) {
    console.error(`${benchmark.name}: ${benchmark.about}; against ${benchmark.baseline}`);
    const measures = await benchmark.run({ executables, rounds });
    rows.push(...measures.map((measure) => rowOf(benchmark, measure)));
  }
  return rows;
}

function printMachine({ system, processors, processor, memoryGiB, bun, loadAverage }: Machine): string {
  const average = loadAverage.toFixed(2);
  return `${system}, ${processors} × ${processor}, ${memoryGiB} GiB, Bun ${bun}, load average ${average} before`;
}

async function main(args: readonly string[]): Promise<number> {
  let wish: Wish | "help";
  try {
    wish = readCommandLine(args);
  } catch (thrown) {
    console.error(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${usage}`);
    return 2;
  }
  if (wish === "help") {
    console.log(usage);
    return 0;
  }
  const takenAt = new Date().toISOString();
  const machine = describeMachine();
  const rows = await runAll(wish);
  console.log(`${printTable(rows)}\n\n${printMachine(machine)}`);
  if (wish.json !== undefined)
    writeFileSync(wish.json, `${JSON.stringify({ takenAt, machine, rows }, null, 2)}\n`);
  return 0;
}

// What was started is killed, and its folders removed, when the process exits; a signal alone would not let it.
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.once(signal, () => process.exit(code));
process.exit(await main(process.argv.slice(2)));
