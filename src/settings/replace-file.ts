import { constants } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { SegueError, errorText } from "../core/errors.ts";
import { type FileFacts, type Files, systemFiles } from "../core/files.ts";
import { hashOf } from "./source.ts";

/** As many symlinks as Linux follows (path_resolution(7)). */
const mostLinks = 40;
/** Nobody writes that often within microseconds. */
const mostExchanges = 10;

/** Lets two names of files change places in one step; false where that cannot be done. */
export type ExchangeFiles = (one: string, other: string) => boolean;

/** What a file is replaced with. */
export interface Replacement {
  bytes: Uint8Array;
  /** The hash of what it replaces; null: it makes a file where there is none. */
  expected: string | null;
  /** Without it, what somebody else writes in the very moment of the rename is lost. */
  exchange?: ExchangeFiles | undefined;
  /** By default those of the machine. */
  files?: Files | undefined;
}

/**
 * Replaces what `path` leads to in one step, durably: a temporary file beside it, fsync, rename. Symlinks on the way
 * stay, as do mode and owner. False, and nothing changed, where the file is no longer the one that is expected: looked
 * at right before, and where files can be exchanged also after. Throws `settings_not_writable` or `storage_full`. Waits
 * for the disk in another thread; the rest takes microseconds and is done here.
 */
export async function replaceFile(path: string, replacement: Replacement): Promise<boolean> {
  const { bytes, expected, files = systemFiles } = replacement;
  try {
    const target = targetOf(path, files);
    const before = await statOf(target, files);
    if ((before === undefined) !== (expected === null)) return false;
    if (before) files.accessSync(target, constants.W_OK);
    else files.mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
    try {
      await writeBeside(temporary, { bytes, before, files });
      const isDone = before
        ? files.realpathSync(path) === target && moveOver(temporary, target, { ...replacement, files })
        : makeNew(temporary, target, files);
      if (isDone) await syncFolder(dirname(target), files);
      return isDone;
    } finally {
      files.rmSync(temporary, { force: true });
    }
  } catch (thrown) {
    // Somebody took it away meanwhile.
    if (codeOf(thrown) === "ENOENT") return false;
    throw notWritable(path, thrown);
  }
}

/** Where symlinks lead, whether there is a file or not yet. */
function targetOf(path: string, files: Files): string {
  let target = path;
  for (let count = 0; count < mostLinks; count++) {
    try {
      return files.realpathSync(target);
    } catch (thrown) {
      if (codeOf(thrown) !== "ENOENT") throw thrown;
    }
    const next = linkAt(target, files);
    if (next === undefined) return target;
    target = resolve(dirname(target), next);
  }
  return target;
}

function linkAt(path: string, files: Files): string | undefined {
  try {
    return files.readlinkSync(path);
  } catch {
    return undefined;
  }
}

async function statOf(path: string, files: Files): Promise<FileFacts | undefined> {
  try {
    return await files.stat(path);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

async function writeBeside(
  temporary: string,
  { bytes, before, files }: { bytes: Uint8Array; before: FileFacts | undefined; files: Files },
): Promise<void> {
  // What a killed process of the same number left is no file of anybody's.
  files.rmSync(temporary, { force: true });
  const file = files.openSync(temporary, "wx", 0o600);
  try {
    files.writeFileSync(file, bytes);
    if (before) {
      const own = files.fstatSync(file);
      if (own.uid !== before.uid || own.gid !== before.gid) files.fchownSync(file, before.uid, before.gid);
      // After the change of owner, which takes the bits for set-uid away.
      files.fchmodSync(file, before.mode & 0o7777);
    }
    await files.fsync(file);
  } finally {
    files.closeSync(file);
  }
}

/** Takes the file's place; false, and what is newest stays, where it is not what is expected that gives way. */
function moveOver(
  temporary: string,
  target: string,
  { bytes, expected, exchange, files }: Replacement & { files: Files },
): boolean {
  const hashOfFile = (path: string): string => hashOf(files.readFileSync(path));
  // Two files may say the same: what somebody else writes is told apart from our own by its number too.
  const inodeOf = (path: string): bigint => files.lstatSync(path, { bigint: true }).ino;
  const markOf = (path: string): string => `${inodeOf(path)} ${hashOfFile(path)}`;
  const own = inodeOf(temporary);
  if (hashOfFile(target) !== expected) return false;
  if (exchange?.(temporary, target) !== true) {
    // Right after the look: between them no other code of this process runs.
    files.renameSync(temporary, target);
    return true;
  }
  if (hashOfFile(temporary) === expected) return true;
  const swap = (): string | false => exchange(temporary, target) && markOf(temporary);
  putBack(markOf(temporary), swap, `${own} ${hashOf(bytes)}`);
  return false;
}

/**
 * What came out was written after the look, so it goes back: `swap` puts it there and answers what comes out for it. If
 * that is not what had been put there last, somebody wrote once more, and that is what goes back.
 */
function putBack(taken: string, swap: () => string | false, own: string): void {
  let [out, put] = [taken, own];
  for (let count = 0; count < mostExchanges; count++) {
    const next = swap();
    if (next === false || next === put) return;
    [out, put] = [next, out];
  }
}

/** A link, unlike a rename, never takes the place of a file that was made meanwhile. */
function makeNew(temporary: string, target: string, files: Files): boolean {
  try {
    files.linkSync(temporary, target);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === "EEXIST") return false;
    throw thrown;
  }
}

/** The rename itself is durable only once the folder is. */
async function syncFolder(folder: string, files: Files): Promise<void> {
  const opened = files.openSync(folder, "r");
  try {
    await files.fsync(opened);
  } finally {
    files.closeSync(opened);
  }
}

function notWritable(path: string, thrown: unknown): SegueError {
  const code = codeOf(thrown);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new SegueError("storage_full", `there is no room to write ${path}`, { cause: thrown });
  return new SegueError(
    "settings_not_writable",
    `${path} cannot be replaced: ${reasons.get(code) ?? errorText(thrown)}`,
    { hint: "edit it by hand, or let this user write it and its folder", cause: thrown },
  );
}

const reasons = new Map([
  ["EACCES", "this user may not write it, or not into its folder"],
  ["EPERM", "its owner could not be kept"],
  ["EROFS", "it lies on a read-only file system"],
  ["EBUSY", "it is mounted by itself; mount its folder instead"],
]);

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}
