import { expect, test } from "bun:test";
import {
  dottedName,
  eachNode,
  finding,
  isNode,
  parseSource,
  sourceFiles,
  type SourceFile,
} from "./source.ts";

/** A part of the outside world, and the only files that may touch it. */
interface Access {
  what: string;
  allowed: RegExp;
  names?: RegExp;
  modules?: RegExp;
}

const clocks = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "performance\\.(now|timeOrigin)",
  "AbortSignal\\.timeout",
];
const accesses: readonly Access[] = [
  {
    what: "Bun's own interfaces stay in src/platform",
    allowed: /^src\/platform\//,
    names: /^Bun(\.|$)/,
    modules: /^(bun$|bun:)/,
  },
  {
    what: "Deno's own interfaces stay in src/platform",
    allowed: /^src\/platform\//,
    names: /^Deno(\.|$)/,
    modules: /^node:sqlite$/,
  },
  {
    what: "a runtime is chosen by package.json: import from #platform",
    allowed: /^src\/platform\//,
    modules: /^src\/platform\/(bun|deno)/,
  },
  {
    what: "time and timers come through Clock",
    allowed: /^src\/core\/clock\.ts$/,
    names: new RegExp(`^(Date\\.now|${clocks.join("|")}|process\\.hrtime(\\.bigint)?|Temporal\\.Now.*)$`),
    modules: /^(node:)?timers(\/|$)|^node:perf_hooks$/,
  },
  {
    what: "chance comes through Random",
    // main.ts is where the outside is handed in; ids.ts makes ids of the system's randomness by default.
    allowed: /^src\/(core\/ids|daemon\/parts)\.ts$/,
    names: /^(Math\.random|crypto\.(getRandomValues|randomUUID)|randomUUID|randomBytes|randomInt)$/,
  },
];

function touches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    accesses
      .filter(({ allowed }) => !allowed.test(file.path))
      .flatMap((access) => [...importsOf(file, access), ...namesOf(file, access)]),
  );
}

function importsOf(file: SourceFile, { what, modules }: Access): string[] {
  return file.imports
    .filter(({ from }) => modules?.test(from))
    .map(({ from, start }) => finding(file, start, `imports ${from}: ${what}`));
}

function namesOf(file: SourceFile, { what, names }: Access): string[] {
  const found: string[] = [];
  const note = (start: number, name: string): number => found.push(finding(file, start, `${name}: ${what}`));
  eachNode(file.program, (node) => {
    const name = nameUsed(node);
    if (name !== undefined && names?.test(name)) note(node.start, name);
    if (names?.test("Date.now") && isPresentDate(node)) note(node.start, "new Date()");
  });
  return found;
}

/** The dotted name of what is called, read or passed on; a property or a key of that name alone is none. */
function nameUsed(node: unknown): string | undefined {
  if (isNode(node, "CallExpression") || isNode(node, "NewExpression")) return dottedName(node["callee"]);
  if (isNode(node, "MemberExpression")) return globalName(dottedName(node));
  if (isNode(node, "Property") && isNode(node["value"], "Identifier")) return dottedName(node["value"]);
  if (isNode(node, "VariableDeclarator")) return dottedName(node["init"]);
  return undefined;
}

function globalName(name: string | undefined): string | undefined {
  return name?.replace(/^globalThis\./, "");
}

function isPresentDate(node: unknown): boolean {
  const isDate =
    (isNode(node, "NewExpression") || isNode(node, "CallExpression")) &&
    dottedName(node["callee"]) === "Date";
  if (!isDate) return false;
  return (
    node.type === "CallExpression" || (Array.isArray(node["arguments"]) && node["arguments"].length === 0)
  );
}

test("the outside world is touched only where it is handed in from", () => {
  expect([...new Set(touches(sourceFiles("src")))]).toEqual([]);
});

test.each([
  "const a = Date.now();",
  "const a = new Date();",
  "const a = Date();",
  "setTimeout(() => {}, 1);",
  "globalThis.setTimeout(() => {}, 1);",
  "const wait = setTimeout;",
  "const parts = { wait: setTimeout };",
  "const s = AbortSignal.timeout(5);",
  "const t = performance.now();",
  `import { setTimeout as wait } from "node:timers/promises";`,
  "const r = Math.random();",
  "const parts = [1].map(Math.random);",
  "const id = crypto.randomUUID();",
  "Bun.serve({});",
  "const { serve } = Bun;",
  "Deno.serve(() => {});",
  `import { openDatabase } from "../platform/bun.ts";`,
  `import { DatabaseSync } from "node:sqlite";`,
  `import { Database } from "bun:sqlite";`,
  `const { Database } = await import("bun:sqlite");`,
])("outside its place, %s is found", (text) => {
  expect(touches([parseSource("src/sessions/session.ts", text)])).not.toEqual([]);
});

test("names that only look like it are left alone", () => {
  const text = `
    clock.setTimeout(1); const setTimeoutMs = 1; new Date(at); Date.parse("x"); Date.UTC(2026);
    // Bun.serve and Date.now() in a comment
    const word = "Math.random()"; const Bundle = 1; options.random();
  `;
  expect(touches([parseSource("src/sessions/session.ts", text)])).toEqual([]);
});
