import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/workspace.ts";

const mounted: string[] = [];

/** Why no file system can be mounted here; undefined where one can. */
export function whyNoMount(): string | undefined {
  if (process.platform !== "linux") return "not Linux";
  const folder = makeFolder("mount", "file");
  const { exitCode, stderr } = mount(folder, "size=64k");
  if (exitCode !== 0) return stderr.toString().trim() || "mount failed";
  unmount(folder);
  return undefined;
}

/** A file system of this many KiB of its own. */
export function mountDisk(kilobytes: number): SmallDisk {
  const path = join(makeFolder("disk"), "disk");
  mkdirSync(path);
  const { exitCode, stderr } = mount(path, `size=${kilobytes}k`);
  if (exitCode !== 0) throw new Error(`mount failed: ${stderr.toString()}`);
  mounted.push(path);
  return new SmallDisk(path);
}

/** Takes every mounted disk away; those who use it lose it. */
export function unmountDisks(): void {
  for (const path of mounted.splice(0)) unmount(path);
}

/** A disk that a test fills and frees. */
export class SmallDisk {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Leaves no byte. */
  fill(): void {
    const file = openSync(this.#ballast, "a");
    try {
      for (let size = 65_536; size >= 1; size = size > 4096 ? 4096 : size > 1 ? 1 : 0)
        while (hasWritten(file, size));
    } finally {
      closeSync(file);
    }
  }

  /** Gives back all that `fill` took. */
  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** From here on nothing on it can be written. */
  makeReadOnly(): void {
    const { exitCode, stderr } = Bun.spawnSync(["mount", "-o", "remount,ro", this.path]);
    if (exitCode !== 0) throw new Error(`remount failed: ${stderr.toString()}`);
  }

  get #ballast(): string {
    return join(this.path, "ballast");
  }
}

function hasWritten(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size)) === size;
  } catch {
    return false;
  }
}

function mount(path: string, options: string): ReturnType<typeof Bun.spawnSync> & { stderr: Buffer } {
  return Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], {
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Lazily: a process that a failed test has left behind may still have it open. */
function unmount(path: string): void {
  Bun.spawnSync(["umount", "-l", path]);
}
