import { join } from "node:path";
import { cleanEnv, runChild } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";
import { alternate, type Benchmark, type Measure } from "./benchmark.ts";
import { ask, requestBytes } from "./connection.ts";
import type { Executables } from "./executables.ts";
import { load } from "./load.ts";
import { serveSegue, type Server } from "./server.ts";
import { messagesByStatus } from "./stored-messages.ts";

const sessions = 1000;
const turnsPerSession = 10;
const turns = sessions * turnsPerSession;
const connections = 16;
const pauseMs = 20;
const content = "Every message ends exactly once. ".repeat(10).slice(0, 300);

/** How fast messages go from the request to their stored reply. */
export const turnsEndToEnd: Benchmark = {
  name: "turns",
  about: `${sessions} sessions on \`echo\`, ${turnsPerSession} messages of 300 bytes to each in one request, from the first request to the last reply stored; \`limits.turnsPerProvider\` 1000, and 4 (the default)`,
  baseline: "SQLite alone, two updates a turn, in transactions of 1000, and of 4",
  run: async ({ executables, rounds = 3 }) => [
    await measure(executables, rounds, 1000, ">= 0.5 x"),
    await measure(executables, rounds, 4),
  ],
};

async function measure(
  executables: Executables,
  rounds: number,
  atOnce: number,
  goal?: string,
): Promise<Measure> {
  const results = await alternate(rounds, {
    segue: async () => {
      const server = await serveSegue(executables, { limits: { turnsPerProvider: atOnce } });
      return takeTurns(server);
    },
    baseline: () => bareTurns(executables, atOnce),
  });
  return { what: `turns, ${atOnce} at once`, unit: "/s", ...results, ...(goal !== undefined && { goal }) };
}

async function takeTurns(server: Server): Promise<number> {
  const startedAt = performance.now();
  await postAll(server.port);
  for (;;) {
    const { body } = await ask(server.port, "/api/stats");
    const stats: { turns: number } = JSON.parse(body);
    if (stats.turns >= turns) break;
    await Bun.sleep(pauseMs);
  }
  const ms = performance.now() - startedAt;
  await server.kill();
  const done = messagesByStatus(server).get("done");
  if (done !== turns) throw new Error(`${turns} messages were accepted, ${done} are done`);
  await server.remove();
  return turns / (ms / 1000);
}

async function postAll(port: number): Promise<void> {
  const text = `${JSON.stringify({ content })}\n`.repeat(turnsPerSession);
  let session = 0;
  const next = (): Uint8Array | undefined => {
    session += 1;
    if (session > sessions) return undefined;
    const path = `/api/sessions/bench-${session}/messages`;
    return requestBytes(port, "POST", path, { type: "application/x-ndjson", text });
  };
  await load({ port, connections, status: 202, next });
}

async function bareTurns(executables: Executables, group: number): Promise<number> {
  const folder = makeFolder("bench");
  const command = [
    await executables.baseline("bare-store"),
    join(folder, "bare.db"),
    ...[sessions, turnsPerSession, group].map(String),
  ];
  const result = await runChild({ command, cwd: folder, env: cleanEnv(folder), scope: "file" });
  const ms = Number(result.stdout);
  if (result.exitCode !== 0 || !(ms > 0))
    throw new Error(`bare-store failed: ${result.stdout}${result.stderr}`);
  return turns / (ms / 1000);
}
