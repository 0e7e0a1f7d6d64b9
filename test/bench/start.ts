import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePort } from "../support/ports.ts";
import type { Child } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";
import { fillStore } from "./backlog.ts";
import { alternate, type Benchmark } from "./benchmark.ts";
import { ask } from "./connection.ts";
import { type Spawned, spawnBaseline, spawnSegue, spawnSegueIn, storeFile } from "./server.ts";

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

const backlog = 1_000_000;
const sessions = 10_000;

/** How long it takes where much is pending. */
export const coldStart: Benchmark = {
  name: "coldstart",
  about: `the same on a store with ${backlog} pending messages over ${sessions} sessions, which are loaded then; and until the first of them is taken`,
  baseline: "a bare Hono executable, empty",
  run: async ({ executables, rounds = 5 }) => {
    const folder = makeFolder("bench");
    const store = join(folder, storeFile);
    mkdirSync(dirname(store));
    await fillStore(store, backlog, sessions);
    // No turn ends while it is measured, and none keeps it from stopping.
    const settings = { providers: { echo: { delayMs: 600_000 } }, daemon: { graceMs: 0 } };
    const toTurn: number[] = [];
    const segue = async (): Promise<number> => {
      const port = await freePort();
      const startedAt = performance.now();
      const { process } = await spawnSegueIn(folder, executables, settings, port);
      const ms = await untilAnswered(process, port, startedAt);
      while (!(await hasTurns(port))) await Bun.sleep(pauseMs);
      toTurn.push(performance.now() - startedAt);
      process.signal("SIGTERM");
      await process.ended();
      return ms;
    };
    await segue();
    toTurn.pop();
    const baseline = (): Promise<number> =>
      timeToAnswer((port) => spawnBaseline(executables, "bare-server", port));
    const results = await alternate(rounds, { segue, baseline });
    return [
      { what: `start to first 200, ${backlog} pending`, unit: "ms", ...results, goal: "<= 2.5 x" },
      { what: "start to first turn", unit: "ms", segue: toTurn },
    ];
  },
};

async function hasTurns(port: number): Promise<boolean> {
  const { body } = await ask(port, "/api/stats");
  const { busySessions }: { busySessions: number } = JSON.parse(body);
  return busySessions > 0;
}

async function timeToAnswer(spawn: (port: number) => Promise<Spawned>): Promise<number> {
  const port = await freePort();
  const startedAt = performance.now();
  const { process, folder } = await spawn(port);
  const ms = await untilAnswered(process, port, startedAt);
  await process.kill();
  rmSync(folder, { recursive: true, force: true });
  return ms;
}

async function untilAnswered(process: Child, port: number, startedAt: number): Promise<number> {
  while (!(await answers(port))) {
    if (process.hasEnded) throw new Error(`it ended before it served\n${process.output}`);
    await Bun.sleep(pauseMs);
  }
  return performance.now() - startedAt;
}

/** Whether it serves; nothing listening and an answer other than 200 both mean: not yet. */
function answers(port: number): Promise<boolean> {
  return ask(port, "/readyz").then(
    () => true,
    () => false,
  );
}
