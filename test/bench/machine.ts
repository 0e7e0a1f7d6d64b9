import { availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";

/** What the figures depend on, the name of the machine left out. */
export interface Machine {
  system: string;
  processors: number;
  processor: string;
  memoryGiB: number;
  bun: string;
  /** Of the last minute, when the run began: others at work make figures worse. */
  loadAverage: number;
}

/** This machine, now. */
export function describeMachine(): Machine {
  return {
    system: `${platform()} ${release()}`,
    processors: availableParallelism(),
    processor: cpus()[0]?.model ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    bun: Bun.version,
    loadAverage: loadavg()[0] ?? Number.NaN,
  };
}
