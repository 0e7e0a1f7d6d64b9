import { startAimock } from "../support/aimock.ts";
import type { Benchmark } from "./benchmark.ts";
import { ask, Connection, requestBytes } from "./connection.ts";
import type { Executables } from "./executables.ts";
import { settledMemoryUse } from "./memory-use.ts";
import { serveSegue, type Server } from "./server.ts";

const vendorsUsed = ["openai", "claude"] as const;
const sessionsPerVendor = 25;
const turnsPerSession = 20;
const turns = vendorsUsed.length * sessionsPerVendor * turnsPerSession;
const pauseMs = 50;

/** What the daemon holds when it has worked. */
export const vendors: Benchmark = {
  name: "vendors",
  about: `resident memory after ${turns} turns, half each through ${vendorsUsed.join(" and ")}, once it has come to rest; the vendors are a mock server`,
  baseline: "none",
  run: async ({ executables, rounds = 3 }) => {
    const mebibytes: number[] = [];
    for (let round = 0; round < rounds; round++) mebibytes.push(await memoryAfterTurns(executables));
    return [{ what: `resident after ${turns} turns`, unit: "MiB", segue: mebibytes, goal: "<= 130 MiB" }];
  },
};

async function memoryAfterTurns(executables: Executables): Promise<number> {
  const mock = await startAimock({ name: "mock", scope: "file" });
  const server = await serveSegue(executables, {
    providers: {
      openai: { baseUrl: `${mock.url}/v1`, apiKey: "k-1", model: "mock" },
      claude: { baseUrl: mock.url, apiKey: "k-2", model: "mock" },
    },
    limits: { turnsPerProvider: 16 },
  });
  for (const vendor of vendorsUsed) await postTurns(server, vendor);
  for (;;) {
    const stats: { turns: number } = JSON.parse((await ask(server.port, "/api/stats")).body);
    if (stats.turns >= turns) break;
    await Bun.sleep(pauseMs);
  }
  const { resident } = await settledMemoryUse(server.process.pid);
  await server.remove();
  await mock.stop();
  return resident / 2 ** 20;
}

async function postTurns({ port }: Server, vendor: string): Promise<void> {
  const connection = await Connection.open(port);
  const send = async (path: string, type: string, text: string, status: number): Promise<void> => {
    const answer = await connection.send(requestBytes(port, "POST", path, { type, text }));
    if (answer.status !== status) throw new Error(`POST ${path} answered ${answer.status}: ${answer.body}`);
  };
  const lines = `${JSON.stringify({ content: "What do you say to that? ".repeat(12) })}\n`.repeat(
    turnsPerSession,
  );
  for (let session = 0; session < sessionsPerVendor; session++) {
    const id = `${vendor}-${session}`;
    await send("/api/sessions", "application/json", JSON.stringify({ id, provider: vendor }), 201);
    await send(`/api/sessions/${id}/messages`, "application/x-ndjson", lines, 202);
  }
  connection.close();
}
