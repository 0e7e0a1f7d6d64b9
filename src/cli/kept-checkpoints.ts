import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isoTime } from "../core/clock.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import type { DaemonClient } from "./client.ts";

const keptCount = 5;

/** Keeps a checkpoint of a daemon in a folder, under the time `at`, and of those in it the last five. */
export async function keepCheckpoint(client: DaemonClient, folder: string, at: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = checkpointName(at);
  await writeCheckpoint(join(folder, name), name, client.download("/api/daemon/checkpoint"));
  for (const outdated of outdatedCheckpoints(await readdir(folder)))
    await rm(join(folder, outdated), { force: true });
}

/** Names sort as their times do; no colons, which not every file system takes. */
export function checkpointName(at: number): string {
  return `${isoTime(at).replaceAll(":", "-")}.json`;
}

/** Those of the names in a folder that are checkpoints, the last five aside. */
export function outdatedCheckpoints(names: readonly string[]): string[] {
  const checkpoints = names.filter((name) => /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.json$/.test(name));
  return checkpoints.toSorted().slice(0, -keptCount);
}
