import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/workspace.ts";
import { alternate, type Benchmark } from "./benchmark.ts";
import { Connection, requestBytes } from "./connection.ts";
import { EventReader } from "./event-reader.ts";
import type { Executables } from "./executables.ts";
import { makeSessions } from "./loaded-sessions.ts";
import { percentile } from "./samples.ts";
import { serveBaseline, serveSegue } from "./server.ts";

const patchesPerRound = 100;

/** How soon a change by the API is in force. */
export const patches: Benchmark = {
  name: "patches",
  about: `from PATCH /api/settings to its answer and the event session.restarted of an idle session, whichever is later; ${patchesPerRound} a round`,
  baseline: "a PATCH that only writes the file the same way",
  run: async ({ executables, rounds = 5 }) => {
    const { segue, baseline } = await alternate(rounds, {
      segue: () => patchSegue(executables),
      baseline: () => patchBare(executables),
    });
    const sides = (share: number) => ({
      segue: segue.map((samples) => percentile(samples, share)),
      baseline: baseline.map((samples) => percentile(samples, share)),
    });
    return [
      { what: "PATCH to in force, p50", unit: "ms", ...sides(0.5) },
      { what: "PATCH to in force, p99", unit: "ms", ...sides(0.99), goal: "<= 3 ms beyond" },
    ];
  },
};

async function patchSegue(executables: Executables): Promise<number[]> {
  const server = await serveSegue(executables, { turn: { system: "edit 0" } });
  await makeSessions(server, "patched", 1);
  const reader = await EventReader.open(server.port, "/api/events");
  const samples = await patch(server.port, () => reader.next("session.restarted"));
  reader.close();
  await server.remove();
  return samples;
}

async function patchBare(executables: Executables): Promise<number[]> {
  const folder = join(makeFolder("bench"), "settings");
  mkdirSync(folder);
  const file = join(folder, "settings.json");
  writeFileSync(file, JSON.stringify({ turn: { system: "edit 0" } }));
  const server = await serveBaseline(executables, "bare-patch", [file]);
  const samples = await patch(server.port, async () => 0);
  await server.remove();
  return samples;
}

/** One after the other over one connection; each gives a session another binding. In milliseconds. */
async function patch(port: number, nextEffect: () => Promise<number>): Promise<number[]> {
  const connection = await Connection.open(port);
  const samples: number[] = [];
  for (let edit = 1; edit <= patchesPerRound; edit++) {
    const text = JSON.stringify({ turn: { system: `edit ${edit}` } });
    const body = { type: "application/merge-patch+json", text };
    const request = requestBytes(port, "PATCH", "/api/settings", body);
    const effect = nextEffect();
    const sentAt = performance.now();
    const { status } = await connection.send(request);
    const answeredAt = performance.now();
    if (status !== 200) throw new Error(`PATCH /api/settings answered ${status}`);
    samples.push(Math.max(answeredAt, await effect) - sentAt);
  }
  connection.close();
  return samples;
}
