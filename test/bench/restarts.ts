import { eventually } from "../support/eventually.ts";
import { alternate, type Benchmark } from "./benchmark.ts";
import { ask, Connection, requestBytes } from "./connection.ts";
import { makeSessions } from "./loaded-sessions.ts";
import { percentile } from "./samples.ts";
import { serveSegue, type Server } from "./server.ts";

const sessions = 1000;
const restartsPerRound = 10;
const watchedMs = 300;
const keptConnections = 16;

/** What a restart in process costs those who ask meanwhile. */
export const restarts: Benchmark = {
  name: "restarts",
  about: `a restart in process with ${sessions} loaded sessions: the longest wait for GET /healthz on a fresh connection, one after the other; requests cut, ${keptConnections} kept connections; until the first turn after it; ${restartsPerRound} a round`,
  baseline: "the same daemon, not restarted",
  run: async ({ executables, rounds = 3 }) => {
    const taken: Restart[] = [];
    let cut = 0;
    const served = async (): Promise<Server> => {
      const server = await serveSegue(executables, { daemon: { graceMs: 1000 } });
      await makeSessions(server, "loaded", sessions);
      return server;
    };
    const segue = async (): Promise<number> => {
      const server = await served();
      const asking = new SteadyRequests(server.port);
      const waits: number[] = [];
      for (let restart = 0; restart < restartsPerRound; restart++) {
        const watching = longestWait(server.port);
        taken.push(await restartOnce(server, restart));
        waits.push(await watching);
      }
      cut += await asking.stop();
      await server.remove();
      return percentile(waits, 0.5);
    };
    const baseline = async (): Promise<number> => {
      const server = await served();
      const asking = new SteadyRequests(server.port);
      const waits: number[] = [];
      for (let time = 0; time < restartsPerRound; time++) waits.push(await longestWait(server.port));
      await asking.stop();
      await server.remove();
      return percentile(waits, 0.5);
    };
    const waits = await alternate(rounds, { segue, baseline });
    return [
      { what: `longest wait, ${sessions} loaded`, unit: "ms", ...waits },
      { what: `requests cut, ${keptConnections} connections`, unit: "", segue: [cut], goal: "0" },
      { what: "without turns", unit: "ms", segue: taken.map(({ downtimeMs }) => downtimeMs) },
      {
        what: "asked to first turn, p50",
        unit: "ms",
        segue: [
          percentile(
            taken.map(({ toTurnMs }) => toTurnMs),
            0.5,
          ),
        ],
      },
    ];
  },
};

/** Of one restart, in milliseconds. */
interface Restart {
  downtimeMs: number;
  /** From the request for it to the end of the turn of a message that was posted right after that. */
  toTurnMs: number;
}

interface DaemonAnswer {
  instanceId: string;
  lastRestart: { downtimeMs: number } | null;
}

async function restartOnce({ port }: Server, at: number): Promise<Restart> {
  const before = await daemonOf(port);
  const connection = await Connection.open(port);
  const askedAt = performance.now();
  const json = { type: "application/json", text: "{}" };
  const asked = await connection.send(requestBytes(port, "POST", "/api/daemon/restart", json));
  if (asked.status !== 202) throw new Error(`the restart was answered ${asked.status}`);
  const message = { type: "application/json", text: JSON.stringify({ content: "next" }) };
  const path = `/api/sessions/loaded-${at}/messages`;
  const { body } = await connection.send(requestBytes(port, "POST", path, message));
  const { id }: { id: string } = JSON.parse(body);
  const look = requestBytes(port, "GET", `/api/messages/${id}`);
  await eventually("the turn after the restart", async () => {
    const answer: { status: string } = JSON.parse((await connection.send(look)).body);
    return answer.status === "done";
  });
  const toTurnMs = performance.now() - askedAt;
  connection.close();
  const after = await daemonOf(port);
  if (after.instanceId === before.instanceId || !after.lastRestart) throw new Error("it was not restarted");
  return { downtimeMs: after.lastRestart.downtimeMs, toTurnMs };
}

async function daemonOf(port: number): Promise<DaemonAnswer> {
  const answer: DaemonAnswer = JSON.parse((await ask(port, "/api/daemon")).body);
  return answer;
}

/** Each request on a connection of its own: what nobody accepts waits. */
async function longestWait(port: number): Promise<number> {
  const until = performance.now() + watchedMs;
  let longest = 0;
  while (performance.now() < until) {
    const sentAt = performance.now();
    await ask(port, "/healthz");
    longest = Math.max(longest, performance.now() - sentAt);
  }
  return longest;
}

/** Asks all the while over connections that are kept. */
class SteadyRequests {
  readonly #stopped = new AbortController();
  readonly #asking: Promise<number[]>;

  constructor(port: number) {
    this.#asking = Promise.all(Array.from({ length: keptConnections }, () => this.#ask(port)));
  }

  /** Resolves with how many were not answered. */
  async stop(): Promise<number> {
    this.#stopped.abort();
    return (await this.#asking).reduce((sum, cut) => sum + cut, 0);
  }

  async #ask(port: number): Promise<number> {
    const request = requestBytes(port, "GET", "/api/daemon");
    let connection = await Connection.open(port);
    let cut = 0;
    while (!this.#stopped.signal.aborted)
      try {
        await connection.send(request);
        await Bun.sleep(1);
      } catch {
        cut += 1;
        connection = await Connection.open(port);
      }
    connection.close();
    return cut;
  }
}
