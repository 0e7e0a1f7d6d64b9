import { expect, test } from "bun:test";
import { finding, parseSource, sourceFiles, type SourceFile } from "./source.ts";

/** What a folder of src may import from, itself aside. Arrows point down only: a folder names those below it. */
const below: Readonly<Record<string, readonly string[]>> = {
  core: [],
  platform: ["core"],
  watch: ["core"],
  store: ["core", "platform"],
  providers: ["core"],
  settings: ["core", "watch", "store", "providers"],
  sessions: ["core", "store", "providers", "settings"],
  agents: ["core", "store", "settings", "sessions"],
  // A program of its own, in the browser: nothing of ours imports it, it is bundled.
  dashboard: ["core"],
  // Files for users, embedded as texts.
  examples: [],
  http: ["core", "store", "providers", "settings", "sessions", "agents"],
  daemon: ["core", "platform", "watch", "store", "providers", "settings", "sessions", "agents", "http"],
  // What the command line needs of the daemon is said in `doors`.
  cli: ["core", "platform", "settings", "examples"],
  main: ["core", "cli"],
};

/** Single files behind which a folder opens a little further. */
const doors: readonly { from: RegExp; to: RegExp }[] = [
  // A default among the settings is the text of a file that stands with what it is about.
  { from: /^src\/settings\/agent-prompt\.ts$/, to: /^src\/agents\/prompt\.md$/ },
  // What an agent is told and where its settings are changed belongs to agents; the commands only run it.
  { from: /^src\/cli\/(connect|hook)\.ts$/, to: /^src\/agents\// },
  // The page speaks the interface: it knows the shapes of its answers, and nothing of who makes them.
  { from: /^src\/dashboard\/link\/answers\.ts$/, to: /^src\/http\/answers\.ts$/ },
  // A digest is the runtime's own, and a pure function: whoever needs one asks for it.
  { from: /^src\/(settings|providers|sessions|agents|http)\//, to: /^src\/platform\/hash$/ },
  // `segue serve` runs the daemon; all commands find a running one by what it wrote into its data folder.
  { from: /^src\/cli\/serve\.ts$/, to: /^src\/daemon\/(daemon|handover|rehearsal)\.ts$/ },
  // `segue restore` works where no daemon runs.
  { from: /^src\/cli\/restore\.ts$/, to: /^src\/daemon\/restore\.ts$/ },
  { from: /^src\/cli\//, to: /^src\/daemon\/instance\.ts$/ },
  // `segue dev` runs the program as a child; `dev.ts` decides when, the command line knows how.
  { from: /^src\/cli\/dev(-run)?\.ts$/, to: /^src\/daemon\/dev\.ts$/ },
];

/** Files of a folder that only those named may import, so that what they know stays behind an interface. */
const closed: readonly { files: RegExp; openTo: RegExp; because: string }[] = [
  {
    files: /^src\/providers\/(claude|gemini|openai|command|echo|vendor-error|wire|create)\.ts$/,
    openTo: /^src\/(providers|daemon)\//,
    because: "vendors and kinds are known in providers/ alone; others use provider.ts",
  },
  {
    files: /^src\/store\/sqlite\//,
    openTo: /^src\/(store|daemon)\//,
    because: "the store is used through its interfaces",
  },
];

/** Packages that only one folder knows. */
const packagesOf: readonly { packages: RegExp; folder: RegExp }[] = [
  { packages: /^(@ai-sdk\/|ai$|openai$|@anthropic-ai\/|@google\/)/, folder: /^src\/providers\// },
  { packages: /^hono(\/|$)/, folder: /^src\/http\// },
  { packages: /^jsonc-parser$/, folder: /^src\/(settings|agents|dashboard)\// },
  { packages: /^prom-client$/, folder: /^src\/http\/metrics\.ts$/ },
  { packages: /^commander$/, folder: /^src\/cli\// },
];

function folderOf(path: string): string {
  const [, folder = ""] = path.split("/");
  return folder.replace(/\.ts$/, "");
}

function breaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap(({ from, start }) => {
      const reason = from.startsWith("src/") ? fileBreach(file.path, from) : packageBreach(file.path, from);
      return reason === undefined ? [] : [finding(file, start, `imports ${from}: ${reason}`)];
    }),
  );
}

function fileBreach(path: string, from: string): string | undefined {
  const gate = closed.find(({ files, openTo }) => files.test(from) && !openTo.test(path));
  if (gate) return gate.because;
  const own = folderOf(path);
  const other = folderOf(from);
  if (own === other || below[own]?.includes(other)) return undefined;
  if (doors.some((door) => door.from.test(path) && door.to.test(from))) return undefined;
  return `${own} may import from ${below[own]?.join(", ") || "nothing of ours"}`;
}

function packageBreach(path: string, from: string): string | undefined {
  const owner = packagesOf.find(({ packages }) => packages.test(from));
  return owner && !owner.folder.test(path) ? `only ${owner.folder.source} knows it` : undefined;
}

test("imports point down only, as the folders of the house say", () => {
  expect(breaches(sourceFiles("src"))).toEqual([]);
});

test("every folder of src has its place among the layers", () => {
  const folders = new Set(sourceFiles("src").map(({ path }) => folderOf(path)));
  expect([...folders].filter((folder) => !(folder in below))).toEqual([]);
});

test.each([
  ["src/core/clock.ts", `import { a } from "../store/store.ts";`],
  ["src/core/clock.ts", `import type { A } from "../store/store.ts";`],
  ["src/core/clock.ts", `export { a } from "../store/store.ts";`],
  ["src/core/clock.ts", `export * from "../store/store.ts";`],
  ["src/core/clock.ts", `const a = await import("../store/store.ts");`],
  ["src/sessions/turn.ts", `import { claude } from "../providers/claude.ts";`],
  ["src/sessions/turn.ts", `import { createAnthropic } from "@ai-sdk/anthropic";`],
  ["src/http/app.ts", `import { startDaemon } from "../daemon/daemon.ts";`],
  ["src/http/app.ts", `import { openStore } from "../store/sqlite/sqlite-store.ts";`],
  ["src/cli/send.ts", `import { startDaemon } from "../daemon/daemon.ts";`],
])("a breach in %s is found: %s", (path, text) => {
  expect(breaches([parseSource(path, text)])).toHaveLength(1);
});

test("what is allowed is not taken for a breach", () => {
  const texts = [
    ["src/cli/serve.ts", `const { startDaemon } = await import("../daemon/daemon.ts");`],
    ["src/sessions/turn.ts", `import type { Provider } from "../providers/provider.ts";`],
    ["src/daemon/daemon.ts", `import { createProvider } from "../providers/create.ts";`],
  ] as const;
  expect(breaches(texts.map(([path, text]) => parseSource(path, text)))).toEqual([]);
});
