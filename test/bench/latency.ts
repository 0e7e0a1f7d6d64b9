import { join } from "node:path";
import { makeFolder } from "../support/workspace.ts";
import { alternate, type Benchmark } from "./benchmark.ts";
import { Connection, requestBytes } from "./connection.ts";
import type { Executables } from "./executables.ts";
import { FakeProvider } from "./fake-provider.ts";
import { makeSessions } from "./loaded-sessions.ts";
import { percentile } from "./samples.ts";
import { serveBaseline, serveSegue } from "./server.ts";

const turnsPerRound = 300;
const warmUpTurns = 50;
const body = { type: "application/json", text: JSON.stringify({ content: "Is anybody there?" }) };

/** Of one turn, in milliseconds. */
interface Turn {
  toCall: number;
  whole: number;
}

/** What Segue adds to a turn. */
export const latency: Benchmark = {
  name: "latency",
  about: `one message after the other, each to another idle session, over one connection, with \`Prefer: wait\`; the provider answers at once; ${turnsPerRound} a round`,
  baseline:
    "a relay: to its call, with one turn of the event loop and one commit before; the turn, its call alone",
  run: async ({ executables, rounds = 5 }) => {
    const provider = new FakeProvider();
    const { segue, baseline } = await alternate(rounds, {
      segue: () => turnsOfSegue(executables, provider),
      baseline: () => turnsOfBaseline(executables, provider),
    });
    await provider.stop();
    const sides = (part: keyof Turn, share: number) => ({
      segue: segue.map((turns) =>
        percentile(
          turns.map((turn) => turn[part]),
          share,
        ),
      ),
      baseline: baseline.map((turns) =>
        percentile(
          turns.map((turn) => turn[part]),
          share,
        ),
      ),
    });
    return [
      { what: "post to call, p50", unit: "ms", ...sides("toCall", 0.5), goal: "<= 0.5 ms beyond" },
      { what: "turn, p50", unit: "ms", ...sides("whole", 0.5), goal: "<= 1 ms beyond" },
      { what: "turn, p99", unit: "ms", ...sides("whole", 0.99), goal: "<= 5 ms beyond" },
    ];
  },
};

async function turnsOfSegue(executables: Executables, provider: FakeProvider): Promise<Turn[]> {
  const server = await serveSegue(executables, {
    provider: "fake",
    providers: { fake: { kind: "openai", baseUrl: provider.url, model: "fake" } },
  });
  await makeSessions(server, "turn", turnsPerRound);
  const turns = await takeTurns(server.port, provider, (turn) =>
    requestBytes(server.port, "POST", `/api/sessions/turn-${turn}/messages`, body, ["Prefer: wait=30"]),
  );
  await server.remove();
  return turns;
}

/** Of a turn the relay's call of the provider is what cannot be left out. */
async function turnsOfBaseline(executables: Executables, provider: FakeProvider): Promise<Turn[]> {
  const file = join(makeFolder("bench"), "bare.db");
  const server = await serveBaseline(executables, "bare-relay", [file, provider.url]);
  const request = requestBytes(server.port, "POST", "/", body);
  const turns = await takeTurns(server.port, provider, () => request);
  await server.remove();
  return turns;
}

async function takeTurns(
  port: number,
  provider: FakeProvider,
  requestOf: (turn: number) => Uint8Array,
): Promise<Turn[]> {
  const connection = await Connection.open(port);
  const turns: Turn[] = [];
  for (let turn = 0; turn < turnsPerRound; turn++) {
    const request = requestOf(turn);
    const call = provider.nextCall();
    const sentAt = performance.now();
    const { status, body: text } = await connection.send(request);
    const endedAt = performance.now();
    if (status !== 200) throw new Error(`a turn was answered ${status}: ${text}`);
    const { callMs }: { callMs?: number } = JSON.parse(text);
    turns.push({ toCall: (await call) - sentAt, whole: callMs ?? endedAt - sentAt });
  }
  connection.close();
  return turns.slice(warmUpTurns);
}
