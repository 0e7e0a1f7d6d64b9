import { alternate, type Benchmark } from "./benchmark.ts";
import { requestBytes } from "./connection.ts";
import { load } from "./load.ts";
import { percentile } from "./samples.ts";
import { serveBaseline, serveSegue, type Server } from "./server.ts";
import { messagesByStatus } from "./stored-messages.ts";

const connections = 64;
const warmUpMs = 1500;
const measuredMs = 4000;
const content = "What is accepted is kept. ".repeat(12).slice(0, 300);

/** Turns that do not end while it is measured: what is counted is the way into the inbox alone. */
const settings = {
  providers: { echo: { delayMs: 600_000 } },
  limits: { maxPendingPerSession: 1_000_000 },
};

interface Posted {
  perSecond: number;
  p50: number;
  p99: number;
}

/** How fast messages are accepted. */
export const posts: Benchmark = {
  name: "posts",
  about:
    "300-byte messages one a request over 64 kept-alive connections, a session each, durability `full`, all found in the store after kill -9",
  baseline: "the same route with Hono and valibot, without storing",
  run: async ({ executables, rounds = 5 }) => {
    const { segue, baseline } = await alternate(rounds, {
      segue: async () => postToSegue(await serveSegue(executables, settings)),
      baseline: async () => {
        const server = await serveBaseline(executables, "bare-inbox");
        const { posted } = await post(server);
        await server.remove();
        return posted;
      },
    });
    const sides = (part: keyof Posted) => ({
      segue: segue.map((posted) => posted[part]),
      baseline: baseline.map((posted) => posted[part]),
    });
    return [
      { what: "posts", unit: "/s", ...sides("perSecond"), goal: ">= 0.6 x" },
      { what: "p50", unit: "ms", ...sides("p50") },
      { what: "p99", unit: "ms", ...sides("p99"), goal: "<= 3 x" },
    ];
  },
};

async function postToSegue(server: Server): Promise<Posted> {
  const { posted, answered } = await post(server);
  await server.kill();
  const stored = messagesByStatus(server);
  const total = stored.values().reduce((sum, count) => sum + count, 0);
  if (total !== answered) throw new Error(`${answered} messages were accepted, ${total} are stored`);
  await server.remove();
  return posted;
}

async function post({ port }: Server): Promise<{ posted: Posted; answered: number }> {
  const text = JSON.stringify({ content });
  const requests = Array.from({ length: connections }, (_, index) =>
    requestBytes(port, "POST", `/api/sessions/bench-${index}/messages`, { type: "application/json", text }),
  );
  const timedFrom = performance.now() + warmUpMs;
  const until = timedFrom + measuredMs;
  const { answered, latenciesMs } = await load({
    port,
    connections,
    status: 202,
    timedFrom,
    next: (connection) => (performance.now() < until ? requests[connection] : undefined),
  });
  const posted = {
    perSecond: latenciesMs.length / (measuredMs / 1000),
    p50: percentile(latenciesMs, 0.5),
    p99: percentile(latenciesMs, 0.99),
  };
  return { posted, answered };
}
