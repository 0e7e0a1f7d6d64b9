import { readSettings } from "../../src/settings/read.ts";
import { Chance, damagedFile, type Damaged } from "./damage.ts";
import { inputOf } from "./reading.ts";

/** What a search found. */
export interface SearchResult {
  files: number;
  byKind: Map<string, number>;
  /** Those whose fault has a line of its own. */
  withLine: number;
  /** The longest that one file took to be judged. */
  slowest: { ms: number; kind: string };
  /** What went against the promises, for the first few. */
  failures: string[];
}

const mostFailures = 10;
const secrets = /damage-0123|damage-token|damage-gemini/;

/** Judges damaged files: none may be accepted, throw, be told without a place or in another line, or show a secret. */
export function searchDamage(files: number, seed: number): SearchResult {
  const result: SearchResult = {
    files,
    byKind: new Map(),
    withLine: 0,
    slowest: { ms: 0, kind: "" },
    failures: [],
  };
  for (let n = 0; n < files; n++) {
    const damaged = damagedFile(n, new Chance(seed + n));
    const started = performance.now();
    const wrong = judge(damaged);
    const ms = performance.now() - started;
    if (ms > result.slowest.ms) result.slowest = { ms, kind: damaged.kind };
    result.byKind.set(damaged.kind, (result.byKind.get(damaged.kind) ?? 0) + 1);
    if (damaged.line !== undefined) result.withLine += 1;
    if (wrong !== undefined && result.failures.length < mostFailures)
      result.failures.push(
        `seed ${seed + n}, file ${n}, ${damaged.kind}: ${wrong}\n${excerpt(damaged.bytes)}`,
      );
  }
  return result;
}

/** What is wrong with how a file is judged; undefined where nothing is. */
function judge({ bytes, line }: Damaged): string | undefined {
  try {
    const result = readSettings(inputOf(bytes));
    if (result.kind === "ok") return "accepted";
    const [first] = result.problems;
    if (!first) return "no problem told";
    if (result.problems.some((problem) => !((problem.line ?? 0) >= 1 && (problem.column ?? 0) >= 1)))
      return "a problem without a place";
    if (secrets.test(JSON.stringify(result.problems))) return "a secret is shown";
    if (
      line !== undefined &&
      !result.problems.every((problem) => problem.line === line) &&
      first.line !== line
    )
      return `told in line ${first.line}, but the fault is in line ${line}: ${first.message}`;
    return undefined;
  } catch (thrown) {
    return `threw ${thrown instanceof Error ? thrown.stack : String(thrown)}`;
  }
}

function excerpt(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.slice(0, 900));
}

if (import.meta.main) {
  const { parseArgs } = await import("node:util");
  const { values } = parseArgs({
    options: { files: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
  });
  const result = searchDamage(Number(values.files), Number(values.seed));
  for (const [kind, count] of result.byKind) console.log(`${String(count).padStart(7)}  ${kind}`);
  console.log(
    `${result.files} damaged files, ${result.withLine} of them with a fault in one line; seed ${values.seed}.`,
  );
  console.log(`The slowest took ${result.slowest.ms.toFixed(1)} ms (${result.slowest.kind}).`);
  for (const failure of result.failures) console.error(`\n${failure}`);
  console.log(
    result.failures.length === 0
      ? "None was accepted, and each was told where it is wrong."
      : "There are failures.",
  );
  process.exitCode = result.failures.length === 0 ? 0 : 1;
}
