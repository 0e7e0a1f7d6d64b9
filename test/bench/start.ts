import { rmSync } from "node:fs";
import { freePort } from "../support/ports.ts";
import { alternate, type Benchmark } from "./benchmark.ts";
import { ask } from "./connection.ts";
import { type Spawned, spawnBaseline, spawnSegue } from "./server.ts";

const pauseMs = 1;

/** How long it takes until the first request is answered. */
export const start: Benchmark = {
  name: "start",
  about:
    "from the start of the process to the first 200 of GET /readyz, empty data folder, asked every millisecond",
  baseline: "a bare Hono executable",
  run: async ({ executables, rounds = 15 }) => {
    const segue = (): Promise<number> => timeToAnswer((port) => spawnSegue(executables, {}, port));
    const baseline = (): Promise<number> =>
      timeToAnswer((port) => spawnBaseline(executables, "bare-server", port));
    // The first of each brings its executable into the system's file cache.
    await segue();
    await baseline();
    const results = await alternate(rounds, { segue, baseline });
    return [{ what: "start to first 200", unit: "ms", ...results, goal: "<= 2 x" }];
  },
};

async function timeToAnswer(spawn: (port: number) => Promise<Spawned>): Promise<number> {
  const port = await freePort();
  const startedAt = performance.now();
  const { process, folder } = await spawn(port);
  while (!(await answers(port))) {
    if (process.hasEnded) throw new Error(`it ended before it served\n${process.output}`);
    await Bun.sleep(pauseMs);
  }
  const ms = performance.now() - startedAt;
  await process.kill();
  rmSync(folder, { recursive: true, force: true });
  return ms;
}

/** Whether it serves; nothing listening and an answer other than 200 both mean: not yet. */
function answers(port: number): Promise<boolean> {
  return ask(port, "/readyz").then(
    () => true,
    () => false,
  );
}
