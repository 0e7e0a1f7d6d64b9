import { format } from "node:util";

export { expect } from "./expectation.ts";

/** What of Deno's test runner is used here. */
declare const Deno: {
  test(name: string, run: () => unknown): void;
};

const around: string[] = [];
const afterwards: (() => unknown)[] = [];

/** Groups the tests that `define` defines. */
export function describe(name: string, define: () => void): void {
  around.push(name);
  define();
  around.pop();
}

/** Has `work` done after each test. */
export function afterEach(work: () => unknown): void {
  afterwards.push(work);
}

function one(name: string, run: () => unknown): void {
  Deno.test([...around, name].join(" > "), async () => {
    try {
      await run();
    } finally {
      for (const work of afterwards) await work();
    }
  });
}

function each(rows: readonly unknown[]) {
  return (name: string, run: (...values: unknown[]) => unknown): void => {
    for (const row of rows) {
      const values: unknown[] = Array.isArray(row) ? row : [row];
      const blanks = name.match(/%[sdijo]/g)?.length ?? 0;
      one(format(name, ...values.slice(0, blanks)), () => run(...values));
    }
  };
}

/** What `bun:test` calls `test`, as far as the suites use it that run under Deno too. */
export const test = Object.assign(one, { each });
