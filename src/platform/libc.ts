import { dlopen, type FFIFunction, type Library } from "bun:ffi";

/** By the C libraries of the systems that Segue is built for. */
const names = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

/** Functions of Linux's C library; undefined on another system, or where one of them is not there. */
export function openLibc<Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): Library<Functions>["symbols"] | undefined {
  if (process.platform !== "linux") return undefined;
  for (const name of names) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // Another C library, or one without it: the next, or none.
    }
  }
  return undefined;
}
