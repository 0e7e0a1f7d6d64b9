import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/workspace.ts";
import { alternate, type Benchmark } from "./benchmark.ts";
import { Connection, requestBytes } from "./connection.ts";
import { EventReader } from "./event-reader.ts";
import type { Executables } from "./executables.ts";
import { percentile } from "./samples.ts";
import { serveBaseline, serveSegue } from "./server.ts";

const editsPerRound = 100;
const debounceMs = 50;
/** Between two edits, so that each is an edit of its own. */
const pauseMs = 20;
/** Kept alive and asking, while edits are made. */
const askingConnections = 32;

/** How soon an edit of settings.json is in force. */
export const edits: Benchmark = {
  name: "edits",
  about: `from the rename that puts another settings.json in place to the event session.restarted of an idle session, less \`debounceMs\` (${debounceMs}); ${editsPerRound} edits a round`,
  baseline: "fs.watch, read and hash of the same file, an event to a reader in the same way",
  run: async ({ executables, rounds = 5 }) => {
    const { segue, baseline } = await alternate(rounds, {
      segue: () => editSegue(executables),
      baseline: () => editBare(executables),
    });
    const sides = (share: number) => ({
      segue: segue.map((samples) => percentile(samples, share)),
      baseline: baseline.map((samples) => percentile(samples, share)),
    });
    return [
      { what: "edit to in force, p50", unit: "ms", ...sides(0.5) },
      { what: "edit to in force, p99", unit: "ms", ...sides(0.99), goal: "<= 3 ms" },
      {
        what: `requests cut, ${askingConnections} connections`,
        unit: "",
        segue: [await cutRequests(executables)],
        goal: "0",
      },
    ];
  },
};

/** Another text and, to a session, another binding with every edit. */
function settings(edit: number): string {
  return JSON.stringify({ reload: { debounceMs }, turn: { system: `edit ${edit}` } }, null, 2);
}

async function editSegue(executables: Executables): Promise<number[]> {
  const server = await serveSegue(executables, JSON.parse(settings(0)));
  await makeSession(server.port);
  const reader = await EventReader.open(server.port, "/api/events");
  const samples = await makeEdits(join(server.folder, "settings", "settings.json"), () =>
    reader.next("session.restarted"),
  );
  reader.close();
  await server.remove();
  return samples.map((ms) => ms - debounceMs);
}

/** How many of the requests that are asked all the while end without their answer. */
async function cutRequests(executables: Executables): Promise<number> {
  const server = await serveSegue(executables, JSON.parse(settings(0)));
  const reader = await EventReader.open(server.port, "/api/events");
  const request = requestBytes(server.port, "GET", "/api/settings/status");
  const edited = new AbortController();
  let cut = 0;
  const ask = async (): Promise<void> => {
    let connection = await Connection.open(server.port);
    while (!edited.signal.aborted)
      try {
        await connection.send(request);
      } catch {
        cut += 1;
        connection = await Connection.open(server.port);
      }
    connection.close();
  };
  const asking = Array.from({ length: askingConnections }, ask);
  await makeEdits(join(server.folder, "settings", "settings.json"), () => reader.next("settings.changed"));
  edited.abort();
  await Promise.all(asking);
  reader.close();
  await server.remove();
  return cut;
}

async function makeSession(port: number): Promise<void> {
  const connection = await Connection.open(port);
  const body = { type: "application/json", text: "{}" };
  const { status } = await connection.send(requestBytes(port, "POST", "/api/sessions", body));
  connection.close();
  if (status !== 201) throw new Error(`POST /api/sessions answered ${status}`);
}

async function editBare(executables: Executables): Promise<number[]> {
  const folder = join(makeFolder("bench"), "settings");
  const file = join(folder, "settings.json");
  mkdirSync(folder);
  writeFileSync(file, settings(0));
  const server = await serveBaseline(executables, "bare-watch", [file]);
  const reader = await EventReader.open(server.port, "/");
  const samples = await makeEdits(file, () => reader.next("changed"));
  reader.close();
  await server.remove();
  return samples;
}

/** Edits as editors do: a new file beside it, renamed over it. From the rename to its effect, in milliseconds. */
async function makeEdits(file: string, nextEffect: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  const temporary = `${file}.new`;
  for (let edit = 1; edit <= editsPerRound; edit++) {
    await Bun.sleep(pauseMs);
    writeFileSync(temporary, settings(edit));
    const effect = nextEffect();
    const editedAt = performance.now();
    renameSync(temporary, file);
    samples.push((await effect) - editedAt);
  }
  return samples;
}
