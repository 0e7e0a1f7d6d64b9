import { statSync } from "node:fs";
import type { Benchmark } from "./benchmark.ts";

/** How much room the executable takes. */
export const size: Benchmark = {
  name: "size",
  about: "the executable on disk",
  baseline: "a bare Hono executable, built with the same flags",
  run: async ({ executables }) => [
    {
      what: "executable",
      unit: "MiB",
      segue: [mebibytes(await executables.segue())],
      baseline: [mebibytes(await executables.baseline("bare-server"))],
      goal: "<= 1.1 x",
    },
  ],
};

function mebibytes(file: string): number {
  return statSync(file).size / 2 ** 20;
}
