import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { SegueError, errorText } from "../core/errors.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { Progress, bytesText } from "./progress.ts";

/** What a checkpoint that arrived whole ends with. */
const end = "]}\n";

/**
 * `segue checkpoint`: prints all sessions with their contexts and what has not ended, or writes them to a file (0600)
 * in one step. Throws where the checkpoint did not arrive whole; the file is then as it was.
 */
export async function checkpoint(context: CommandContext, out: string | undefined): Promise<number> {
  const client = await DaemonClient.of(context);
  const { screen, flags } = context;
  const parts = client.download("/api/daemon/checkpoint");
  if (out === undefined) {
    // A terminal that shows the checkpoint itself has no line to spare.
    const told = screen.isTerminal ? parts : withProgress(parts, context);
    await passOn(told, (part) => screen.part(part));
    return 0;
  }
  const bytes = await writeCheckpoint(resolve(out), out, withProgress(parts, context));
  screen.answer(
    flags.json ? JSON.stringify({ path: resolve(out), bytes }) : `Written to ${out} (${bytes} bytes).`,
  );
  return 0;
}

/** The same parts; how much has come is told while they do. */
async function* withProgress(
  parts: AsyncIterable<string>,
  context: CommandContext,
): AsyncGenerator<string, void, void> {
  const progress = new Progress(context);
  let bytes = 0;
  try {
    for await (const part of parts) {
      bytes += Buffer.byteLength(part);
      progress.show(`${bytesText(bytes)} of the checkpoint`);
      yield part;
    }
  } finally {
    progress.end();
  }
}

/** Hands on each part; throws where the last one is missing. */
async function passOn(
  parts: AsyncIterable<string>,
  take: (part: string) => void | Promise<void>,
): Promise<void> {
  let last = "";
  for await (const part of parts) {
    await take(part);
    last = (last + part).slice(-end.length);
  }
  if (last !== end)
    throw new SegueError("not_reachable", "The checkpoint did not arrive whole; take it again.");
}

/**
 * Writes a checkpoint as it comes into a file (0600), in one step, and answers its size in bytes. Throws, naming the
 * file as `shown`, where it cannot be written or did not arrive whole; the file is then as it was. What is no regular
 * file, such as a pipe or `/dev/stdout`, is written to as it stands, and a link keeps pointing where it does.
 */
export async function writeCheckpoint(
  path: string,
  shown: string,
  parts: AsyncIterable<string>,
): Promise<number> {
  try {
    const { target, isRegular } = await standing(path);
    return isRegular ? await replace(target, parts) : await write(target, "a", parts);
  } catch (thrown) {
    if (thrown instanceof SegueError) throw thrown;
    throw new SegueError("internal", `${shown} cannot be written: ${errorText(thrown)}`, { cause: thrown });
  }
}

/** What stands at a path, links followed; a path where nothing is yet counts as that of a regular file. */
async function standing(path: string): Promise<{ target: string; isRegular: boolean }> {
  try {
    const about = await stat(path);
    return about.isFile()
      ? { target: await realpath(path), isRegular: true }
      : { target: path, isRegular: false };
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")
      return { target: path, isRegular: true };
    throw thrown;
  }
}

async function replace(path: string, parts: AsyncIterable<string>): Promise<number> {
  const temporary = `${path}.${process.pid}.new`;
  try {
    const bytes = await write(temporary, "wx", parts);
    await rename(temporary, path);
    return bytes;
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
}

async function write(path: string, flags: "a" | "wx", parts: AsyncIterable<string>): Promise<number> {
  const file = await open(path, flags, 0o600);
  let bytes = 0;
  try {
    await passOn(parts, async (part) => {
      await file.appendFile(part);
      bytes += Buffer.byteLength(part);
    });
    // A pipe or a device has nothing to be flushed.
    if (flags === "wx") await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}
