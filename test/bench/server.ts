import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanEnv, startChild, type Child } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";
import type { BaselineName, Executables } from "./executables.ts";

/** A program that serves HTTP on a port of this machine, Segue or a baseline, in a folder of its own. */
export interface Server {
  readonly process: Child;
  readonly port: number;
  /** The folder it was started in. */
  readonly folder: string;
  /** SIGKILL, and waits for its end. The folder stays. */
  kill(): Promise<void>;
  /** As `kill`, and the folder goes too. */
  remove(): Promise<void>;
}

/** Where Segue keeps its store, below the folder of its server. */
export const storeFile = join("data", "segue.db");

/** Starts Segue on an empty data folder and answers once it serves; `port` 0 picks a free one. */
export async function serveSegue(executables: Executables, settings: object = {}): Promise<Server> {
  return whenListening(await spawnSegue(executables, settings, 0));
}

/** Starts a baseline with `args` and answers once it serves. */
export async function serveBaseline(
  executables: Executables,
  name: BaselineName,
  args: readonly string[] = [],
): Promise<Server> {
  return whenListening(await spawnBaseline(executables, name, 0, args));
}

/** A process in its folder; whether it serves yet is not known. */
export interface Spawned {
  process: Child;
  folder: string;
}

/** Starts Segue on an empty data folder; does not wait. */
export async function spawnSegue(executables: Executables, settings: object, port: number): Promise<Spawned> {
  return spawnSegueIn(makeFolder("bench"), executables, settings, port);
}

/** Starts Segue in a folder, on the data that are there from before; does not wait. */
export async function spawnSegueIn(
  folder: string,
  executables: Executables,
  settings: object,
  port: number,
): Promise<Spawned> {
  const command = await executables.segue();
  const data = join(folder, "data");
  const file = join(folder, "settings", "settings.json");
  mkdirSync(join(folder, "settings"), { recursive: true });
  writeFileSync(file, JSON.stringify(settings));
  return spawn([command, "serve", "--settings", file, "--data", data, "--port", String(port)], folder);
}

/** Starts a baseline; does not wait. */
export async function spawnBaseline(
  executables: Executables,
  name: BaselineName,
  port: number,
  args: readonly string[] = [],
): Promise<Spawned> {
  return spawn([await executables.baseline(name), String(port), ...args], makeFolder("bench"));
}

function spawn(command: string[], folder: string): Spawned {
  return { process: startChild({ command, cwd: folder, env: cleanEnv(folder), scope: "file" }), folder };
}

async function whenListening({ process, folder }: Spawned): Promise<Server> {
  const found = await process.waitForOutput(/listening on http:\/\/127\.0\.0\.1:(?<port>\d+)/);
  const kill = async (): Promise<void> => void (await process.kill());
  return {
    process,
    port: Number(found.groups?.["port"]),
    folder,
    kill,
    remove: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
