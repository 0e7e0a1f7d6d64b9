import { readdirSync, readFileSync } from "node:fs";

/** What a process did since it began, all its threads together. */
export interface Activity {
  /** Nanoseconds on a processor. */
  cpuNs: number;
  /** How often a thread gave the processor up by itself: as often it was woken. */
  wakeUps: number;
}

/** What a process did so far, from Linux's /proc. */
export function activityOf(pid: number): Activity {
  const activity: Activity = { cpuNs: 0, wakeUps: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    const [onProcessor = "0"] = readFileSync(`${folder}/schedstat`, "utf8").split(" ");
    const status = readFileSync(`${folder}/status`, "utf8");
    const [, switches = "0"] = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status) ?? [];
    activity.cpuNs += Number(onProcessor);
    activity.wakeUps += Number(switches);
  }
  return activity;
}

/** How many files, sockets and the like it has open. */
export function openHandles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
