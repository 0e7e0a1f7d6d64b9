import { readdirSync, readFileSync } from "node:fs";

/** What a process did since it began. */
export interface Activity {
  /** Milliseconds on a processor, threads that have ended included; in steps of ten. */
  cpuMs: number;
  /** For each thread there is, how often it gave the processor up by itself: as often it was woken. */
  wakeUps: ReadonlyMap<string, number>;
}

/** Linux counts processor time in hundredths of a second. */
const msPerTick = 10;

/** What a process did so far, from Linux's /proc. */
export function activityOf(pid: number): Activity {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program stands in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [ofUser = "0", ofSystem = "0"] = fields.slice(11);
  const threads = readdirSync(`/proc/${pid}/task`);
  return {
    cpuMs: (Number(ofUser) + Number(ofSystem)) * msPerTick,
    wakeUps: new Map(threads.map((thread) => [thread, wakeUpsOf(pid, thread)])),
  };
}

function wakeUpsOf(pid: number, thread: string): number {
  const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
  const [, switches = "0"] = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status) ?? [];
  return Number(switches);
}

/** How often the threads that there are now were woken since then. */
export function wakeUpsSince(before: Activity, now: Activity): number {
  return now.wakeUps
    .entries()
    .reduce((sum, [thread, count]) => sum + count - (before.wakeUps.get(thread) ?? 0), 0);
}

/** How many files, sockets and the like it has open. */
export function openHandles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
