import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually } from "./eventually.ts";

/** The folder of the project. */
export const projectFolder = dirname(dirname(import.meta.dir));

const binary = join(projectFolder, "dist", "segue");
const lock = join(projectFolder, "dist", ".building");
const buildDeadlineMs = 120_000;

/** A program to be tested in its place, such as the same source under another runtime. */
const another = process.env["SEGUE_TEST_PROGRAM"];

/**
 * The path of the compiled program, built first where it is missing or older than its source. Test files that run
 * at the same time in processes of their own wait for one another.
 */
export async function ensureBinary(): Promise<string> {
  if (another !== undefined) return another;
  if (!isFresh()) await withLock(build);
  return binary;
}

function isFresh(): boolean {
  const builtAt = changedAt(binary);
  return sources().every((file) => changedAt(file) < builtAt);
}

function sources(): string[] {
  const files = readdirSync(join(projectFolder, "src"), { recursive: true, withFileTypes: true });
  return [
    join(projectFolder, "package.json"),
    join(projectFolder, "bun.lock"),
    ...files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name)),
  ];
}

/** 0 where there is no such file. */
function changedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function build(): Promise<void> {
  if (isFresh()) return;
  const builder = Bun.spawn([process.execPath, "run", "build"], {
    cwd: projectFolder,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(builder.stdout).text(),
    new Response(builder.stderr).text(),
    builder.exited,
  ]);
  if (exitCode !== 0) throw new Error(`the build failed with ${exitCode}\n${stdout}${stderr}`);
}

async function withLock(work: () => Promise<void>): Promise<void> {
  mkdirSync(dirname(lock), { recursive: true });
  await eventually("the lock of the build", takeLock, buildDeadlineMs);
  try {
    await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function takeLock(): boolean {
  const heldSince = changedAt(lock);
  // Whoever took it this long ago is gone.
  if (heldSince > 0 && Date.now() - heldSince > buildDeadlineMs / 2)
    rmSync(lock, { recursive: true, force: true });
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return false;
  }
}
