import type { Benchmark, Measure } from "./benchmark.ts";
import { type Summary, summarize } from "./samples.ts";

/** A measure with its medians, as it is printed and written. */
export interface Row {
  benchmark: string;
  what: string;
  unit: Measure["unit"];
  segue: Summary;
  baseline: Summary | null;
  /** Segue's median over the baseline's. */
  ratio: number | null;
  /** Segue's median less the baseline's. */
  beyond: number | null;
  goal: string | null;
}

/** The row of a measure. */
export function rowOf({ name }: Benchmark, { what, unit, segue, baseline, goal }: Measure): Row {
  const own = summarize(segue);
  const other = baseline === undefined ? null : summarize(baseline);
  return {
    benchmark: name,
    what,
    unit,
    segue: own,
    baseline: other,
    ratio: other && own.median / other.median,
    beyond: other && own.median - other.median,
    goal: goal ?? null,
  };
}

const heads = [
  "benchmark",
  "measure",
  "unit",
  "Segue",
  "spread",
  "baseline",
  "spread",
  "ratio",
  "beyond",
  "to reach",
];
/** Those that hold numbers stand at the right. */
const numberColumns = new Set([3, 4, 5, 6, 7, 8]);

/** The rows as a Markdown table whose columns also line up as plain text. */
export function printTable(rows: readonly Row[]): string {
  const lines = [heads, ...rows.map(cellsOf)];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) =>
    joined(line.map((cell, column) => pad(cell, column, widths[column] ?? 0))),
  );
  const rule = joined(
    widths.map((width, column) => "-".repeat(width - 1) + (numberColumns.has(column) ? ":" : "-")),
  );
  return [padded[0], rule, ...padded.slice(1)].join("\n");
}

function cellsOf({ benchmark, what, unit, segue, baseline, ratio, beyond, goal }: Row): string[] {
  return [
    benchmark,
    what,
    unit,
    printNumber(segue.median),
    printSpread(segue),
    baseline ? printNumber(baseline.median) : "",
    baseline ? printSpread(baseline) : "",
    ratio === null ? "" : ratio.toFixed(2),
    // Of times alone it says something: what has to be waited for besides.
    beyond === null || unit !== "ms" ? "" : printNumber(beyond),
    goal ?? "",
  ];
}

function printSpread({ min, max, rounds }: Summary): string {
  return rounds < 2 ? "" : `${printNumber(min)} to ${printNumber(max)}`;
}

/** Three digits that mean something, or all before the point. */
function printNumber(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function pad(cell: string, column: number, width: number): string {
  return numberColumns.has(column) ? cell.padStart(width) : cell.padEnd(width);
}

function joined(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
