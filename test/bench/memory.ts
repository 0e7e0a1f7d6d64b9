import { alternate, type Benchmark } from "./benchmark.ts";
import { ask } from "./connection.ts";
import { type MemoryUse, settledMemoryUse } from "./memory-use.ts";
import { serveBaseline, serveSegue, type Server } from "./server.ts";

/** What the idle daemon holds. */
export const memory: Benchmark = {
  name: "memory",
  about: "idle: after one GET /readyz, once it has come to rest",
  baseline: "a bare Hono executable",
  run: async ({ executables, rounds = 3 }) => {
    const { segue, baseline } = await alternate(rounds, {
      segue: async () => idleUse(await serveSegue(executables)),
      baseline: async () => idleUse(await serveBaseline(executables, "bare-server")),
    });
    const sides = (part: keyof MemoryUse) => ({
      segue: segue.map((use) => use[part] / 2 ** 20),
      baseline: baseline.map((use) => use[part] / 2 ** 20),
    });
    return [
      { what: "resident", unit: "MiB", ...sides("resident"), goal: "<= 2 x" },
      { what: "of it without a file behind", unit: "MiB", ...sides("anonymous") },
    ];
  },
};

async function idleUse(server: Server): Promise<MemoryUse> {
  await ask(server.port, "/readyz");
  const use = await settledMemoryUse(server.process.pid);
  await server.remove();
  return use;
}
