import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alternate, type Benchmark } from "./benchmark.ts";
import { Connection, requestBytes } from "./connection.ts";
import type { Executables } from "./executables.ts";
import { makeSessions } from "./loaded-sessions.ts";
import { serveSegue, type Server } from "./server.ts";

const sessions = 10_000;
const watchedMs = 5000;
const pauseMs = 1;

/** How long a change of the settings keeps everybody waiting. */
export const stall: Benchmark = {
  name: "stall",
  about: `the longest wait for GET /healthz, asked every millisecond, in the ${watchedMs} ms after an edit that gives each of ${sessions} loaded sessions another binding`,
  baseline: "the same without an edit",
  run: async ({ executables, rounds = 3 }) => {
    const server = await serveLoaded(executables);
    let edit = 0;
    const { segue, baseline } = await alternate(rounds, {
      segue: () => {
        edit += 1;
        replaceSettings(server, edit);
        return longestWait(server);
      },
      baseline: () => longestWait(server),
    });
    await server.remove();
    return [{ what: `longest wait, ${sessions} loaded`, unit: "ms", segue, baseline, goal: "<= 20 ms" }];
  },
};

async function serveLoaded(executables: Executables): Promise<Server> {
  const server = await serveSegue(executables);
  await makeSessions(server, "loaded", sessions);
  // What making them left behind is cleared away before anything is measured.
  await longestWait(server);
  return server;
}

function replaceSettings({ folder }: Server, edit: number): void {
  const file = join(folder, "settings", "settings.json");
  writeFileSync(`${file}.new`, JSON.stringify({ turn: { system: `edit ${edit}` } }));
  renameSync(`${file}.new`, file);
}

async function longestWait({ port }: Server): Promise<number> {
  const connection = await Connection.open(port);
  const request = requestBytes(port, "GET", "/healthz");
  const until = performance.now() + watchedMs;
  let longest = 0;
  while (performance.now() < until) {
    const sentAt = performance.now();
    await connection.send(request);
    longest = Math.max(longest, performance.now() - sentAt);
    await Bun.sleep(pauseMs);
  }
  connection.close();
  return longest;
}
