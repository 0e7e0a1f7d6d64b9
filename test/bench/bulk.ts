import { join } from "node:path";
import { cleanEnv, runChild } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";
import { alternate, type Benchmark } from "./benchmark.ts";
import { requestBytes } from "./connection.ts";
import type { Executables } from "./executables.ts";
import { load } from "./load.ts";
import { serveSegue } from "./server.ts";
import { messagesByStatus } from "./stored-messages.ts";

const messages = 100_000;
const messagesPerRequest = 1000;
const connections = 4;
const content = "What is accepted is kept. ".repeat(12).slice(0, 300);

/** How fast lists of messages are accepted. */
export const bulk: Benchmark = {
  name: "bulk",
  about: `${messages} messages of 300 bytes as NDJSON, ${messagesPerRequest} a request over ${connections} connections, a session each, durability \`full\``,
  baseline: `SQLite alone, one insert a message, ${messagesPerRequest} a transaction`,
  run: async ({ executables, rounds = 5 }) => {
    const results = await alternate(rounds, {
      segue: () => postLists(executables),
      baseline: () => bareRows(executables),
    });
    return [{ what: "messages in lists", unit: "/s", ...results, goal: ">= 0.6 x" }];
  },
};

async function postLists(executables: Executables): Promise<number> {
  const server = await serveSegue(executables, {
    providers: { echo: { delayMs: 600_000 } },
    limits: { maxPendingPerSession: 1_000_000 },
  });
  const text = `${JSON.stringify({ content })}\n`.repeat(messagesPerRequest);
  const requests = Array.from({ length: connections }, (_, index) =>
    requestBytes(server.port, "POST", `/api/sessions/bulk-${index}/messages`, {
      type: "application/x-ndjson",
      text,
    }),
  );
  let left = messages / messagesPerRequest;
  const startedAt = performance.now();
  await load({
    port: server.port,
    connections,
    status: 202,
    next: (connection) => (left-- > 0 ? requests[connection] : undefined),
  });
  const ms = performance.now() - startedAt;
  await server.kill();
  const stored = messagesByStatus(server)
    .values()
    .reduce((sum, count) => sum + count, 0);
  if (stored !== messages) throw new Error(`${messages} messages were accepted, ${stored} are stored`);
  await server.remove();
  return messages / (ms / 1000);
}

async function bareRows(executables: Executables): Promise<number> {
  const folder = makeFolder("bench");
  const command = [
    await executables.baseline("bare-bulk"),
    join(folder, "bare.db"),
    String(messages),
    String(messagesPerRequest),
  ];
  const { stdout, stderr, exitCode } = await runChild({
    command,
    cwd: folder,
    env: cleanEnv(folder),
    scope: "file",
  });
  if (exitCode !== 0 || !(Number(stdout) > 0)) throw new Error(`bare-bulk failed: ${stdout}${stderr}`);
  return messages / (Number(stdout) / 1000);
}
