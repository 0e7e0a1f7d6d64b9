import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { runSegue, type Segue, startSegue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";

// Each marked secret is set in another place; each holds the word "marked" followed by what it is.
const inEnvironment = {
  MARKED_KEY: "sk-marked-environment-0001",
  MARKED_TOOL: "marked-argument-by-reference",
};
const inFile = "sk-marked-file-0002";
const literal = "sk-marked-literal-0003";
const password = "marked-password-0004";
const token = "marked-token-0005";
const secondToken = "marked-token-0006";
const marked = /marked[-%]/;

/** Also as a header, a URL or a program would carry them. */
const disguised = [literal, inFile, `me:${password}`, ...Object.values(inEnvironment)].flatMap((secret) => [
  btoa(secret).replace(/=+$/, ""),
  encodeURIComponent(secret),
]);

let vendor: ReturnType<typeof Bun.serve>;

beforeEach(() => {
  // A vendor that repeats whatever credentials it was sent, as some do.
  vendor = Bun.serve({
    port: 0,
    fetch: (request) => {
      const sent = [...request.headers].map(([name, value]) => `${name}: ${value}`).join("; ");
      const error = {
        message: `invalid credentials (${sent}) at ${request.url}`,
        type: "authentication_error",
      };
      return Response.json({ error }, { status: request.url.includes("broken") ? 500 : 401 });
    },
  });
});

afterEach(() => vendor.stop(true));

function settingsText(more = ""): string {
  const at = `127.0.0.1:${vendor.port}`;
  return `{
  // the key was ${literal} once
  "provider": "literal",
  "providers": {
    "literal": { "kind": "openai", "model": "m", "baseUrl": "http://${at}/v1", "apiKey": "${literal}" },
    "environment": { "kind": "claude", "model": "m", "baseUrl": "http://${at}/broken", "apiKey": "$MARKED_KEY" },
    "file": { "kind": "gemini", "model": "m", "baseUrl": "http://${at}/v1beta", "apiKey": "file:key.txt" },
    "login": { "kind": "openai", "model": "m", "baseUrl": "http://me:${password}@${at}/v1" },
    "program": { "kind": "command", "model": "m", "argv": ["sh", "-c", "echo $0 >&2; exit 1", "$MARKED_TOOL"] },
  },
  "turn": { "maxAttempts": 1, "retryMs": 1 },
  "reload": { "debounceMs": 10, "guard": "off" },
  "server": { "token": "${token}" },${more}
}
`;
}

async function start(): Promise<Segue> {
  const folder = makeFolder("secrets");
  writeFileSync(join(folder, "key.txt"), `${inFile}\n`);
  return startSegue({
    settings: settingsText(),
    dataDir: join(folder, "data"),
    env: inEnvironment,
    args: ["--set", "log.level=debug"],
  });
}

/** Asks with the token and answers what came back, headers included. */
async function ask(
  daemon: Segue,
  path: string,
  init: { method?: string; json?: unknown } = {},
  bearer = token,
): Promise<string> {
  const { json } = init;
  const response = await daemon.request(path, {
    ...(json === undefined ? {} : { method: init.method ?? "POST", body: JSON.stringify(json) }),
    headers: { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" },
  });
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  return `${path} ${response.status}\n${headers}\n${await response.text()}`;
}

const read = [
  "/api/settings",
  "/api/settings/status",
  "/api/settings/history",
  "/api/settings/file",
  "/api/settings/schema",
  "/api/stats",
  "/api/daemon",
  "/api/sessions",
  "/api/messages",
  "/healthz",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/",
];

/** Everything that may be read at this moment, over HTTP and by the command line. */
async function readAll(daemon: Segue, bearer = token): Promise<string[]> {
  const answers = await Promise.all(read.map((path) => ask(daemon, path, {}, bearer)));
  const checkpoint = await ask(daemon, "/api/daemon/checkpoint", { json: {} }, bearer);
  const flags = ["--data", daemon.dataDir, "--settings", daemon.settingsPath];
  const runs = await Promise.all(
    [
      ["get"],
      ["get", "--json"],
      ["get", "providers.login.baseUrl"],
      ["history", "--json"],
      ["status"],
      ["check"],
      ["plan"],
    ].map((args) => runSegue([...args, ...flags], { env: inEnvironment })),
  );
  return [...answers, checkpoint, ...runs.map(({ stdout, stderr }) => stdout + stderr)];
}

/** Every stored event, as a reader gets it. */
async function readEvents(daemon: Segue, bearer = token): Promise<string> {
  const abort = new AbortController();
  const response = await daemon.request("/api/events?after=0", {
    headers: { Authorization: `Bearer ${bearer}` },
    signal: abort.signal,
  });
  let text = "";
  try {
    for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("settings.rejected")) break;
    }
  } finally {
    abort.abort();
  }
  return text;
}

/** What lies in the data folder, but the bytes of the settings themselves, which are kept for their user alone. */
function readStore(daemon: Segue): string {
  const accepted = join(daemon.dataDir, "accepted-settings.json");
  expect(statSync(accepted).mode & 0o777).toBe(0o600);
  expect(readFileSync(accepted, "utf8")).toMatch(marked);
  const files = readdirSync(daemon.dataDir).filter(
    (name) => name !== "accepted-settings.json" && !name.endsWith(".sock"),
  );
  return files.map((name) => readFileSync(join(daemon.dataDir, name), "latin1")).join("\n");
}

test("no marked secret comes out again, wherever it was set and whatever went wrong with it", async () => {
  const daemon = await start();
  const out: string[] = [];
  // 1. Vendors and programs that repeat what they were given.
  for (const provider of ["literal", "environment", "file", "login", "program"]) {
    out.push(await ask(daemon, "/api/sessions", { json: { id: provider, provider } }));
    out.push(await ask(daemon, `/api/sessions/${provider}/messages`, { json: { content: "hello" } }));
  }
  await eventually("every provider has refused", async () => {
    const { providers } = JSON.parse((await ask(daemon, "/api/stats")).split("\n").at(-1) ?? "{}");
    const parked = ["literal", "file", "login"].every((name) => providers[name].state === "parked");
    return parked && (await ask(daemon, "/api/messages?status=failed")).split('"id"').length === 3;
  });
  out.push(...(await readAll(daemon)));
  // 2. Edits that are refused, by hand and by API, with secrets where none belong.
  writeFileSync(
    daemon.settingsPath,
    settingsText(`\n  "${literal}": 1, "turn": "${literal}", "log": { "level": "${token}" }`),
  );
  await eventually("the edit is refused", async () =>
    (await ask(daemon, "/api/settings/status")).includes('"problems":[{'),
  );
  out.push(
    ...(await readAll(daemon)),
    await ask(daemon, "/api/settings", { method: "PATCH", json: { turn: {} } }),
  );
  writeFileSync(daemon.settingsPath, settingsText());
  for (const bad of [
    { server: { token: `${secondToken} with spaces` } },
    { providers: { literal: { apiKey: ["x", secondToken] } } },
    { providers: { new: { apiKey: `${secondToken}ü` } } },
  ])
    out.push(await ask(daemon, "/api/settings", { method: "PATCH", json: bad }));
  // 3. Edits that are taken, and the way back.
  out.push(await ask(daemon, "/api/settings", { method: "PATCH", json: { server: { token: secondToken } } }));
  out.push(await ask(daemon, "/api/settings/rollback", { json: { revision: 1 } }, secondToken));
  out.push(...(await readAll(daemon, secondToken)), await readEvents(daemon, secondToken));
  await daemon.stop();
  out.push(daemon.process.output, readStore(daemon));
  const said = out.join("\n");
  expect(said).toContain("invalid credentials");
  expect(said).toContain("••••");
  expect(
    said
      .split("\n")
      .filter((line) => marked.test(line))
      .map((line) => line.slice(0, 300)),
  ).toEqual([]);
  expect(disguised.filter((form) => said.includes(form))).toEqual([]);
}, 60_000);
