import type { Benchmark } from "./benchmark.ts";
import type { Executables } from "./executables.ts";
import { makeSessions } from "./loaded-sessions.ts";
import { settledMemoryUse } from "./memory-use.ts";
import { serveSegue, type Server } from "./server.ts";

const first = 10_000;
const further = 20_000;

/** KiB of resident memory for each session. */
interface Cost {
  ofFirst: number;
  ofFurther: number;
}

/**
 * What a loaded session costs while it is idle. The first ones also pay for what their requests left behind (compiled
 * code, a heap grown for garbage); further ones show more nearly what a session itself holds.
 */
export const sessions: Benchmark = {
  name: "sessions",
  about: `growth of resident memory for each session that is made and stays loaded, idle: the first ${first}, and ${further} more`,
  baseline: "none",
  run: async ({ executables, rounds = 3 }) => {
    const costs: Cost[] = [];
    for (let round = 0; round < rounds; round++) costs.push(await measure(executables));
    return [
      {
        what: `a session, first ${first}`,
        unit: "KiB",
        segue: costs.map((cost) => cost.ofFirst),
        goal: "<= 3 KB",
      },
      { what: `a session, ${further} more`, unit: "KiB", segue: costs.map((cost) => cost.ofFurther) },
    ];
  },
};

async function measure(executables: Executables): Promise<Cost> {
  const server = await serveSegue(executables);
  const idle = await residentKiB(server);
  await makeSessions(server, "first", first);
  const afterFirst = await residentKiB(server);
  await makeSessions(server, "further", further);
  const afterFurther = await residentKiB(server);
  await server.remove();
  return { ofFirst: (afterFirst - idle) / first, ofFurther: (afterFurther - afterFirst) / further };
}

async function residentKiB(server: Server): Promise<number> {
  return (await settledMemoryUse(server.process.pid)).resident / 1024;
}
