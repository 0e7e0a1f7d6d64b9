import { libcNames, type NativeCall, type NativeFunction, type NativeValue } from "./platform.ts";

/** What of Deno's own interface is used here (Deno 2.9). */
declare const Deno: {
  dlopen(
    name: string,
    symbols: Record<string, { parameters: string[]; result: string }>,
  ): { symbols: Record<string, (...values: NativeValue[]) => number | bigint> };
};

/**
 * Opens Linux's C library; undefined on another system, where one of the functions is not there, or where the
 * permission to call it was not given.
 */
export function openLibc(functions: Readonly<Record<string, NativeFunction>>): NativeCall | undefined {
  if (process.platform !== "linux") return undefined;
  const wanted = Object.entries(functions).map(([name, { args, returns }]) => {
    return [name, { parameters: args.map(parameter), result: returns }] as const;
  });
  for (const name of libcNames) {
    try {
      const { symbols } = Deno.dlopen(name, Object.fromEntries(wanted));
      return (called, ...values) => Number(symbols[called]?.(...values));
    } catch {
      // Another C library, one without it, or no permission: the next, or none.
    }
  }
  return undefined;
}

function parameter(type: NativeFunction["args"][number]): string {
  return type === "bytes" ? "buffer" : type;
}
