import type { Benchmark, Measure } from "./benchmark.ts";
import { makeSessions } from "./loaded-sessions.ts";
import { settledMemoryUse } from "./memory-use.ts";
import { activityOf, wakeUpsSince } from "./process-activity.ts";
import { serveSegue } from "./server.ts";

const sessions = 10_000;
const watchedMs = 60_000;

/** What Segue does when there is nothing to do. */
export const idle: Benchmark = {
  name: "idle",
  about: `processor time and wake-ups of all threads in ${watchedMs / 1000} s, ${sessions} sessions loaded, once memory has come to rest`,
  baseline: "none",
  run: async ({ executables, rounds = 1 }) => {
    const cpu: number[] = [];
    const wakeUps: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const server = await serveSegue(executables);
      await makeSessions(server, "idle", sessions);
      await settledMemoryUse(server.process.pid);
      const before = activityOf(server.process.pid);
      await Bun.sleep(watchedMs);
      const after = activityOf(server.process.pid);
      await server.remove();
      cpu.push(((after.cpuMs - before.cpuMs) / watchedMs) * 100);
      wakeUps.push(wakeUpsSince(before, after) / (watchedMs / 1000));
    }
    const measures: Measure[] = [
      { what: `${sessions} loaded, of a core`, unit: "%", segue: cpu, goal: "<= 0.2 %" },
      { what: "wake-ups", unit: "/s", segue: wakeUps },
    ];
    return measures;
  },
};
