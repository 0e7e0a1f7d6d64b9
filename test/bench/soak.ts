import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ask, Connection, requestBytes } from "./connection.ts";
import { Executables } from "./executables.ts";
import { load } from "./load.ts";
import { describeMachine } from "./machine.ts";
import { activityOf, openHandles } from "./process-activity.ts";
import { residentMemory } from "./memory-use.ts";
import { slopeOf } from "./samples.ts";
import { serveSegue, type Server, storeFile } from "./server.ts";

// `bun run bench:soak [--minutes N] [--json FILE]`: half of what the daemon can do, for half an hour. It prints a line
// a minute, and at the end whether memory grew after the first five, which handles came and went, and how long the
// log became.

const connections = 16;
const calibrationMs = 10_000;
const sessions = 500;
const sampleMs = 10_000;
const settleMinutes = 5;
const rolloverTokens = 2000;
const body = {
  type: "application/json",
  text: JSON.stringify({ content: "On and on it goes. ".repeat(16) }),
};

/** What is looked at every ten seconds. */
interface Sample {
  minutes: number;
  residentMiB: number;
  handles: number;
  walMiB: number;
  turns: number;
}

/** As many turns a second as come to their end when nothing holds them back. */
async function capacity(server: Server): Promise<number> {
  const until = performance.now() + calibrationMs;
  let post = 0;
  const startedAt = performance.now();
  await load({
    port: server.port,
    connections,
    status: 202,
    next: () => (performance.now() < until ? nextPost(server, post++) : undefined),
  });
  await allDone(server, post);
  return post / ((performance.now() - startedAt) / 1000);
}

function nextPost({ port }: Server, post: number): Uint8Array {
  return requestBytes(port, "POST", `/api/sessions/soak-${post % sessions}/messages`, body);
}

async function turnsOf({ port }: Server): Promise<number> {
  const stats: { turns: number } = JSON.parse((await ask(port, "/api/stats")).body);
  return stats.turns;
}

async function allDone(server: Server, posted: number): Promise<void> {
  while ((await turnsOf(server)) < posted) await Bun.sleep(20);
}

/** Posts at a rate, each at its moment, or as soon after it as a connection is free; how many it were. */
async function postAtRate(server: Server, perSecond: number, forMs: number): Promise<number> {
  const startedAt = performance.now();
  const posts = Math.floor((perSecond * forMs) / 1000);
  let next = 0;
  const drive = async (connection: Connection): Promise<void> => {
    for (let post = next++; post < posts; post = next++) {
      const early = startedAt + (post * 1000) / perSecond - performance.now();
      if (early > 1) await Bun.sleep(early);
      const { status } = await connection.send(nextPost(server, post));
      if (status !== 202) throw new Error(`a post was answered ${status}`);
    }
  };
  const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(server.port)));
  await Promise.all(opened.map(drive));
  for (const connection of opened) connection.close();
  return posts;
}

async function sample(server: Server, startedAt: number): Promise<Sample> {
  const { pid } = server.process;
  return {
    minutes: (performance.now() - startedAt) / 60_000,
    residentMiB: residentMemory(pid) / 2 ** 20,
    handles: openHandles(pid),
    walMiB: statSync(join(server.folder, `${storeFile}-wal`)).size / 2 ** 20,
    turns: await turnsOf(server),
  };
}

async function watch(server: Server, forMs: number): Promise<Sample[]> {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  // The last one is taken while connections are still at work: their handles are counted too.
  while (performance.now() - startedAt < forMs - sampleMs) {
    await Bun.sleep(sampleMs);
    const taken = await sample(server, startedAt);
    samples.push(taken);
    if (samples.length % (60_000 / sampleMs) === 0) console.log(lineOf(taken));
  }
  return samples;
}

function lineOf({ minutes, residentMiB, handles, walMiB, turns }: Sample): string {
  const figures = [
    `${residentMiB.toFixed(1)} MiB resident`,
    `${handles} handles`,
    `${walMiB.toFixed(1)} MiB log`,
  ];
  return `${minutes.toFixed(1).padStart(5)} min: ${figures.join(", ")}, ${turns} turns`;
}

/** What the samples say together. Memory and handles are looked at once the first minutes are over. */
function verdict(samples: readonly Sample[]) {
  const settled = samples.filter(
    ({ minutes }) => minutes > Math.min(settleMinutes, (samples.at(-1)?.minutes ?? 0) / 2),
  );
  const handles = settled.map((taken) => taken.handles);
  return {
    residentSlopeMiBPerMinute: slopeOf(settled.map(({ minutes, residentMiB }) => [minutes, residentMiB])),
    residentMiB: settled.at(-1)?.residentMiB ?? Number.NaN,
    handles: { min: Math.min(...handles), max: Math.max(...handles) },
    longestLogMiB: Math.max(...samples.map(({ walMiB }) => walMiB)),
  };
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: { type: "string", default: "30" }, json: { type: "string" } },
  });
  const forMs = Number(values.minutes) * 60_000;
  if (!(forMs > 0)) throw new Error("--minutes takes a number above 0");
  const machine = describeMachine();
  const server = await serveSegue(new Executables(), {
    limits: { turnsPerProvider: 64, maxPendingPerSession: 1_000_000 },
    // A conversation that is never left costs more with each turn: after minutes the load would be another one.
    turn: { rolloverTokens },
  });
  const most = await capacity(server);
  const before = await turnsOf(server);
  console.log(`at most ${most.toFixed(0)} turns/s; half of that for ${values.minutes} minutes`);
  const [posted, samples] = await Promise.all([postAtRate(server, most / 2, forMs), watch(server, forMs)]);
  await allDone(server, before + posted);
  const { cpuMs } = activityOf(server.process.pid);
  await server.remove();
  const result = { machine, perSecond: most / 2, posted, cpuMs, ...verdict(samples), samples };
  console.log(`resident memory: ${result.residentSlopeMiBPerMinute.toFixed(2)} MiB a minute (<= 1)`);
  console.log(`handles: ${result.handles.min} to ${result.handles.max} (constant)`);
  console.log(`log: at most ${result.longestLogMiB.toFixed(1)} MiB (<= 64)`);
  console.log(`${posted} posts, each with its turn`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.once(signal, () => process.exit(code));
await main(process.argv.slice(2));
process.exit(0);
