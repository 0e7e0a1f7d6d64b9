import type { Executables } from "./executables.ts";

/** One figure, taken once a round, of Segue and, where there is something to compare it with, of its baseline. */
export interface Measure {
  what: string;
  unit: "ms" | "us" | "/s" | "MiB" | "KiB" | "%" | "";
  segue: readonly number[];
  baseline?: readonly number[];
  /** What it should come to. */
  goal?: string;
}

/** What a benchmark is run with. */
export interface BenchRun {
  executables: Executables;
  /** How often Segue and baseline are run; undefined leaves it to the benchmark. */
  rounds: number | undefined;
}

/** A comparison of the compiled program with something bare that does the part that cannot be left out. */
export interface Benchmark {
  name: string;
  /** What is measured, and against what, in one line each. */
  about: string;
  baseline: string;
  run(run: BenchRun): Promise<Measure[]>;
}

/**
 * Runs both sides `rounds` times, by turns, and lets each begin every other time, so that a machine that becomes
 * slower or faster meanwhile does so for both.
 */
export async function alternate<T>(
  rounds: number,
  sides: { segue: () => Promise<T>; baseline: () => Promise<T> },
): Promise<{ segue: T[]; baseline: T[] }> {
  const results: { segue: T[]; baseline: T[] } = { segue: [], baseline: [] };
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (["segue", "baseline"] as const) : (["baseline", "segue"] as const);
    for (const side of order) results[side].push(await sides[side]());
  }
  return results;
}
