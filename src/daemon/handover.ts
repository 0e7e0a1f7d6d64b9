import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { replaceProcess } from "../platform/process-image.ts";
import type { DataFolder } from "./instance.ts";

/** Names what stands in the folder as meant for this very start: the id of the daemon before. */
const variable = "SEGUE_HANDOVER";

/** How this program was started, and is started again. */
export interface Program {
  /** Path of the executable. */
  executable: string;
  /** The file that it runs, where it is a runtime. */
  source: string | undefined;
  /** What follows on the command line. */
  args: readonly string[];
}

const handoverSchema = v.object({
  /** The instance before; the variable says the same. */
  from: v.string(),
  /** The path of the program, also where the one that runs was started by another name. */
  executable: v.string(),
  /** Descriptors: the program before, the lock on the folder, the sockets at which clients wait. */
  before: v.nullable(v.number()),
  lock: v.number(),
  listeners: v.array(v.object({ fd: v.number(), port: v.nullable(v.number()) })),
  /** Where it was asked to listen, and the port it got. */
  address: v.object({ host: v.string(), port: v.number() }),
  port: v.number(),
  /** When turns were no longer begun. */
  drainedAt: v.number(),
  sessions: v.array(v.object({ id: v.string(), subscribers: v.number() })),
  requeued: v.number(),
  timedOut: v.number(),
  /** The copy of the store as it was before its migration; null where there was none. */
  copy: v.nullable(v.string()),
  /** Why the upgrade failed: then this is the program that it was to replace. */
  failure: v.nullable(v.string()),
});

/** What a program hands over to the one that takes its place in the same process. Times in epoch milliseconds. */
export type Handover = v.InferOutput<typeof handoverSchema>;

/** What was handed over to this start; taken once, and never by another. Undefined for any other start. */
export function takeHandover(dataDir: string, env: Record<string, string | undefined>): Handover | undefined {
  const from = env[variable];
  delete env[variable];
  if (from === undefined) return undefined;
  const path = fileIn(dataDir);
  try {
    const found = v.parse(handoverSchema, JSON.parse(readFileSync(path, "utf8")));
    return found.from === from ? found : undefined;
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Lets a program take the place of this one, with what is handed over; throws where it cannot be run, and has then
 * left nothing in the folder. The data folder is locked, and stays so.
 */
export function goOver(
  dataDir: string,
  { executable, source, args }: Program,
  env: Readonly<Record<string, string | undefined>>,
  handover: Handover,
): never {
  const path = fileIn(dataDir);
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(path, JSON.stringify(handover), { mode: 0o600 });
  const { before, lock, listeners, from } = handover;
  try {
    return replaceProcess({
      executable,
      args: [...(source === undefined ? [] : [source]), ...args],
      env: { ...env, [variable]: from },
      keep: new Set([lock, ...(before === null ? [] : [before]), ...listeners.map(({ fd }) => fd)]),
    });
  } catch (thrown) {
    rmSync(path, { force: true });
    throw thrown;
  }
}

/** What was handed over to a start that never came is nobody's. The data folder has to be held. */
export async function forgetHandover({ path, files }: DataFolder): Promise<void> {
  await files.rm(fileIn(path), { force: true });
}

function fileIn(dataDir: string): string {
  return join(dataDir, "handover.json");
}
