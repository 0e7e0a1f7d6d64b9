import { readFileSync } from "node:fs";

/** Memory of a process, in bytes. */
export interface MemoryUse {
  /** Resident, the executable's own pages that it shares with others included. */
  resident: number;
  /** Of these what no file stands behind: heap, stacks, compiled code. */
  anonymous: number;
}

/** Resident memory of a process now, in bytes. */
export function residentMemory(pid: number): number {
  return memoryUse(pid).resident;
}

const pauseMs = 250;
const quietSamples = 8;
const longestWaitMs = 60_000;

/** What a process holds now, from Linux's /proc. */
function memoryUse(pid: number): MemoryUse {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return { resident: bytesIn(rollup, "Rss"), anonymous: bytesIn(rollup, "Anonymous") };
}

/**
 * What a process holds once it has come to rest: no sample within two seconds differs by more than a hundredth.
 * After a minute it is taken as it is.
 */
export async function settledMemoryUse(pid: number): Promise<MemoryUse> {
  const until = performance.now() + longestWaitMs;
  const samples = [memoryUse(pid)];
  for (;;) {
    await Bun.sleep(pauseMs);
    const last = memoryUse(pid);
    samples.push(last);
    const recent = samples.slice(-quietSamples).map(({ resident }) => resident);
    const isQuiet =
      recent.length === quietSamples && Math.max(...recent) - Math.min(...recent) < last.resident / 100;
    if (isQuiet || performance.now() > until) return last;
  }
}

function bytesIn(rollup: string, name: string): number {
  const [, kibibytes] = new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(rollup) ?? [];
  if (kibibytes === undefined) throw new Error(`smaps_rollup has no ${name}`);
  return Number(kibibytes) * 1024;
}
