import { closeSync, constants } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { SegueError, errorText, writeFault } from "../core/errors.ts";
import { type Files, systemFiles } from "../core/files.ts";
import type { Database } from "../platform/platform.ts";
import { ownDescriptor } from "../platform/process-image.ts";

/** Where things lie in a data folder, and what reads and writes them. */
export interface DataFolder {
  files: Files;
  path: string;
  store: string;
  lock: string;
  socket: string;
  instance: string;
  accepted: string;
}

/** The names that contract section 2 gives, and the lock. */
export function dataFolder(path: string, files: Files = systemFiles): DataFolder {
  return {
    files,
    path,
    store: join(path, "segue.db"),
    lock: join(path, "segue.lock"),
    socket: join(path, "segue.sock"),
    instance: join(path, "daemon.json"),
    accepted: join(path, "accepted-settings.json"),
  };
}

/** Makes the folder, for its owner alone (0700). One that exists is closed to others only if it is a data folder. */
export async function makeDataFolder(folder: DataFolder): Promise<void> {
  const { files } = folder;
  try {
    await files.mkdir(folder.path, { recursive: true, mode: 0o700 });
    const entries = await files.readdir(folder.path);
    const mode = (await files.stat(folder.path)).mode & 0o777;
    const isOurs = entries.length === 0 || entries.includes("segue.db");
    // Rights are taken away, never given: a folder that its owner closed to himself stays closed.
    if (isOurs && (mode & 0o077) !== 0) await files.chmod(folder.path, mode & 0o700);
    await requireWritable(folder);
  } catch (thrown) {
    throw new SegueError("storage", `the data folder ${folder.path} cannot be used: ${errorText(thrown)}`, {
      hint: "name another with --data",
      cause: thrown,
    });
  }
}

/** Where it may not write it, SQLite opens a database all the same, to read; its locks on one then hold nobody off. */
async function requireWritable({ path, store, lock, files }: DataFolder): Promise<void> {
  await files.access(path, constants.W_OK);
  for (const file of [store, lock])
    await files.access(file, constants.W_OK).catch((thrown: unknown) => {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
    });
}

/** What `daemon.json` says of the daemon that runs on a data folder. */
const instanceSchema = v.object({
  pid: v.number(),
  url: v.string(),
  socket: v.nullable(v.string()),
  instanceId: v.string(),
  version: v.string(),
  startedAt: v.string(),
});
/** The content of `daemon.json`; `startedAt` as ISO 8601. */
export type Instance = v.InferOutput<typeof instanceSchema>;

/** Who serves on this data folder, or did; undefined where the file is missing or not ours. */
export async function readInstance(folder: DataFolder): Promise<Instance | undefined> {
  try {
    const result = v.safeParse(
      instanceSchema,
      JSON.parse(await folder.files.readFile(folder.instance, "utf8")),
    );
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** Says who serves, in one step (0600). Throws `storage` or `storage_full`. */
export async function writeInstance(folder: DataFolder, instance: Instance): Promise<void> {
  try {
    await replaceInstance(folder, `${JSON.stringify(instance)}\n`);
  } catch (thrown) {
    throw writeFault(folder.instance, thrown);
  }
}

async function replaceInstance({ instance, files }: DataFolder, text: string): Promise<void> {
  const temporary = `${instance}.new`;
  const file = await files.open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  await files.rename(temporary, instance);
}

/** Nobody serves any more. */
export async function removeInstance(folder: DataFolder): Promise<void> {
  await folder.files.rm(folder.instance, { force: true });
}

/**
 * Holds a data folder on whose lock this process has the descriptor `fd` already, from the program whose place it took:
 * the lock is the process's, and was never let go of. Any other descriptor of that file would end it when closed.
 */
export function keepHolding(fd: number): () => void {
  ownDescriptor(fd);
  return () => closeSync(fd);
}

/**
 * Holds the data folder for this process alone until the answer is called. The lock is the operating system's, taken
 * by SQLite on a file of its own: it goes with the process, however that ends, and no stale one is left.
 * Throws `already_running`, naming who holds it.
 */
export async function lockDataFolder(
  folder: DataFolder,
  openDatabase: (path: string) => Database,
): Promise<() => void> {
  let database: Database | undefined;
  try {
    database = openDatabase(folder.lock);
    database.exec("BEGIN EXCLUSIVE");
    const held = database;
    return () => held.close();
  } catch (thrown) {
    database?.close();
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    if (!code.startsWith("SQLITE_BUSY"))
      throw new SegueError("storage", `the data folder ${folder.path} cannot be used: ${errorText(thrown)}`, {
        hint: "it has to be writable; name another with --data",
        cause: thrown,
      });
    const holder = await readInstance(folder);
    const who = holder ? `the daemon with pid ${holder.pid} at ${holder.url}` : "another daemon";
    throw new SegueError("already_running", `${who} holds the data folder ${folder.path}`, {
      hint: "speak to that one, stop it with `segue stop`, or name another folder with --data",
    });
  }
}
