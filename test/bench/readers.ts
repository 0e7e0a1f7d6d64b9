import type { Benchmark } from "./benchmark.ts";
import { Connection, requestBytes } from "./connection.ts";
import { EventReader } from "./event-reader.ts";
import type { Executables } from "./executables.ts";
import { settledMemoryUse } from "./memory-use.ts";
import { percentile } from "./samples.ts";
import { serveSegue, type Server } from "./server.ts";

const readers = 1000;
const eventsPerSecond = 1000;
const measuredMs = 10_000;
const connections = 32;
const body = { type: "application/json", text: JSON.stringify({ content: "Something happened." }) };

interface Reading {
  p99: number;
  /** What readers and events made the daemon grow by, in MiB. */
  growth: number;
}

/** How soon many readers hear of what happens. */
export const eventReaders: Benchmark = {
  name: "readers",
  about: `${readers} event streams, each of another session, while ${eventsPerSecond} messages a second are posted to them in turn for ${measuredMs / 1000} s: from the post to the event at its reader`,
  baseline: "none",
  run: async ({ executables, rounds = 3 }) => {
    const readings: Reading[] = [];
    for (let round = 0; round < rounds; round++) readings.push(await readOnce(executables));
    return [
      { what: "post to event, p99", unit: "ms", segue: readings.map(({ p99 }) => p99), goal: "<= 50 ms" },
      { what: "growth of memory", unit: "MiB", segue: readings.map(({ growth }) => growth) },
    ];
  },
};

async function readOnce(executables: Executables): Promise<Reading> {
  const server = await serveSegue(executables, {
    providers: { echo: { delayMs: 600_000 } },
    limits: { turnsPerProvider: readers, maxPendingPerSession: 1_000_000 },
  });
  const requests = Array.from({ length: readers }, (_, index) =>
    requestBytes(server.port, "POST", `/api/sessions/read-${index}/messages`, body),
  );
  const poster = await Connection.open(server.port);
  for (const request of requests) await poster.send(request);
  poster.close();
  const { resident: before } = await settledMemoryUse(server.process.pid);
  const streams = await Promise.all(
    requests.map((_, index) => EventReader.open(server.port, `/api/events?session=read-${index}`)),
  );
  const delays = await postInTurn(server, requests, streams);
  const { resident: after } = await settledMemoryUse(server.process.pid);
  for (const stream of streams) stream.close();
  await server.remove();
  return { p99: percentile(delays, 0.99), growth: (after - before) / 2 ** 20 };
}

/** As many posts a second as there are to be events: each has its moment, and is late if no connection is free. */
async function postInTurn(
  { port }: Server,
  requests: readonly Uint8Array[],
  streams: readonly EventReader[],
): Promise<number[]> {
  const delays: Promise<number>[] = [];
  const startedAt = performance.now();
  const posts = (eventsPerSecond * measuredMs) / 1000;
  let next = 0;
  const drive = async (connection: Connection): Promise<void> => {
    for (let post = next++; post < posts; post = next++) {
      const dueAt = startedAt + (post * 1000) / eventsPerSecond;
      const early = dueAt - performance.now();
      if (early > 0) await Bun.sleep(early);
      const request = requests[post % readers];
      const stream = streams[post % readers];
      if (!request || !stream) throw new Error("there is a reader for each session");
      const arrival = stream.next("message.accepted");
      const sentAt = performance.now();
      delays.push(arrival.then((at) => at - sentAt));
      await connection.send(request);
    }
  };
  const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
  await Promise.all(opened.map(drive));
  for (const connection of opened) connection.close();
  return Promise.all(delays);
}
