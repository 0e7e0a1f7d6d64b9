import { dlopen, ptr } from "bun:ffi";

/** renameat2(2): paths count from the working folder, and the two names change places. */
const workingFolder = -100;
const exchange = 2;

const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

type Rename = (
  oldFolder: number,
  oldPath: number,
  newFolder: number,
  newPath: number,
  flags: number,
) => number;

let rename: Rename | undefined;
let isLookedFor = false;

/**
 * Lets two names of files change places, in one step: what stood under either is not lost. False, and nothing changed,
 * where the system or the file system cannot, or one of them is not there.
 */
export function exchangeFiles(one: string, other: string): boolean {
  if (!isLookedFor) rename = findRename();
  isLookedFor = true;
  return rename?.(workingFolder, pathAt(one), workingFolder, pathAt(other), exchange) === 0;
}

function findRename(): Rename | undefined {
  if (process.platform !== "linux") return undefined;
  for (const library of libraries) {
    try {
      return dlopen(library, {
        renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
      }).symbols.renameat2;
    } catch {
      // Another C library, or one without it: the next, or none.
    }
  }
  return undefined;
}

/** The path as C reads it. */
function pathAt(path: string) {
  return ptr(Buffer.from(`${path}\0`));
}
