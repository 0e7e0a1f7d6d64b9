import { openLibc } from "#platform/libc";

/** renameat2(2): paths count from the working folder, and the two names change places. */
const workingFolder = -100;
const exchange = 2;

let libc: ReturnType<typeof open>;
let isOpened = false;

/**
 * Lets two names of files change places, in one step: what stood under either is not lost. False, and nothing changed,
 * where the system or the file system cannot, or one of them is not there.
 */
export function exchangeFiles(one: string, other: string): boolean {
  if (!isOpened) libc = open();
  isOpened = true;
  return libc?.("renameat2", workingFolder, pathAt(one), workingFolder, pathAt(other), exchange) === 0;
}

function open() {
  return openLibc({ renameat2: { args: ["i32", "bytes", "i32", "bytes", "u32"], returns: "i32" } });
}

/** The path as C reads it. */
function pathAt(path: string): Buffer {
  return Buffer.from(`${path}\0`);
}
