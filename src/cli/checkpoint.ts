import { open, rename, rm } from "node:fs/promises";
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
 * file as `shown`, where it cannot be written or did not arrive whole; the file is then as it was.
 */
export async function writeCheckpoint(
  path: string,
  shown: string,
  parts: AsyncIterable<string>,
): Promise<number> {
  const temporary = `${path}.${process.pid}.new`;
  try {
    const bytes = await writeNew(temporary, parts);
    await rename(temporary, path);
    return bytes;
  } catch (thrown) {
    await rm(temporary, { force: true });
    if (thrown instanceof SegueError) throw thrown;
    throw new SegueError("internal", `${shown} cannot be written: ${errorText(thrown)}`, { cause: thrown });
  }
}

async function writeNew(path: string, parts: AsyncIterable<string>): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    await passOn(parts, async (part) => {
      await file.appendFile(part);
    });
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
