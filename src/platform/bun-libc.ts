import { dlopen } from "bun:ffi";
import { libcNames, type NativeCall, type NativeFunction } from "./platform.ts";

/** Opens Linux's C library; undefined on another system, or where one of the functions is not there. */
export function openLibc(functions: Readonly<Record<string, NativeFunction>>): NativeCall | undefined {
  if (process.platform !== "linux") return undefined;
  const wanted = Object.entries(functions).map(([name, { args, returns }]) => {
    return [name, { args: args.map((type) => (type === "bytes" ? "ptr" : type)), returns }] as const;
  });
  for (const name of libcNames) {
    try {
      const { symbols } = dlopen(name, Object.fromEntries(wanted));
      return (called, ...values) => Number(symbols[called]?.(...values));
    } catch {
      // Another C library, or one without it: the next, or none.
    }
  }
  return undefined;
}
