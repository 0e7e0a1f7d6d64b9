import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { differenceLines } from "../../src/cli/text-difference.ts";
import { closeHomes, homeWithDaemon } from "./daemon-home.ts";
import { makeHome, type Home } from "./segue.ts";

afterEach(closeHomes);

const lived = `{
  // mine
  "model": "opus",
  "hooks": {
    "Stop": [{ "hooks": [{ "type": "command", "command": "say done" }] }], // loud
  },
}
`;

/** The agent's settings in a home, and what they say. */
function agentFile({ folder }: Home): { path: string; write: (text: string) => void; read: () => string } {
  const path = join(folder, ".claude", "settings.json");
  mkdirSync(join(folder, ".claude"), { recursive: true });
  return { path, write: (text) => writeFileSync(path, text), read: () => readFileSync(path, "utf8") };
}

/** Settings for the daemon in a home. */
function writeSettings({ folder }: Home, settings: object): void {
  mkdirSync(join(folder, ".config", "segue"), { recursive: true });
  writeFileSync(join(folder, ".config", "segue", "settings.json"), JSON.stringify(settings));
}

test("connect, twice, then --remove: byte for byte as before, and the mode is kept", async () => {
  const home = makeHome();
  const file = agentFile(home);
  file.write(lived);
  chmodSync(file.path, 0o640);
  const first = await home.segue(["connect", "claude-code"]);
  expect(first.exitCode).toBe(0);
  const connected = file.read();
  expect(connected).toContain("// loud");
  expect(connected).toContain('"http://127.0.0.1:4747/hooks/claude-code"');
  expect(await home.segue(["connect", "claude-code"])).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "It is connected already.\n",
  });
  expect(file.read()).toBe(connected);
  expect((await home.segue(["connect", "claude-code", "--remove"])).exitCode).toBe(0);
  expect(file.read()).toBe(lived);
  expect(statSync(file.path).mode & 0o777).toBe(0o640);
  expect((await home.segue(["connect", "claude-code", "--remove"])).stderr).toContain("no hooks of ours");
});

test("the change is shown before it is made, and --print only shows it", async () => {
  const home = makeHome();
  const file = agentFile(home);
  file.write(lived);
  const printed = await home.segue(["connect", "claude-code", "--print"]);
  expect(file.read()).toBe(lived);
  const made = await home.segue(["connect", "claude-code"]);
  expect(made.stdout).toBe(printed.stdout);
  const lines = made.stdout.trimEnd().split("\n");
  expect(lines[0]).toBe(file.path);
  const added = lines.filter((line) => line.startsWith("+ "));
  for (const line of added) expect(file.read()).toContain(line.slice(2));
  expect(added.join("\n")).toContain("hook claude-code");
  expect(lines).toContain('    "model": "opus",');
});

test("a file that is not there is made, for its owner alone, where the agent looks for it", async () => {
  const home = makeHome();
  const folder = join(home.folder, "elsewhere");
  const env = { CLAUDE_CONFIG_DIR: folder };
  expect((await home.segue(["connect", "claude-code"], { env })).exitCode).toBe(0);
  const path = join(folder, "settings.json");
  expect(Object.keys(JSON.parse(readFileSync(path, "utf8")).hooks).toSorted()).toEqual([
    "PostToolUse",
    "PostToolUseFailure",
    "SessionEnd",
    "SessionStart",
    "Stop",
    "UserPromptSubmit",
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a link stays a link", async () => {
  const home = makeHome();
  const file = agentFile(home);
  writeFileSync(join(home.folder, "dotfiles.json"), lived);
  symlinkSync("../dotfiles.json", file.path);
  await home.segue(["connect", "claude-code"]);
  expect(readFileSync(join(home.folder, "dotfiles.json"), "utf8")).toContain("hook claude-code");
});

test("a broken file is refused with the place, and stays as it is", async () => {
  const home = makeHome();
  const file = agentFile(home);
  for (const [text, place] of [
    ['{\n  "a": 1,\n  "b" 2\n}', ":3:7: "],
    ["", ":1:1: the file is empty"],
    ["[]", ":1:1: "],
    ['{"hooks": []}', ":1:11: hooks has to be an object"],
    ['{"hooks": {"Stop": 1}}', ":1:20: hooks.Stop has to be a list"],
  ] as const)
    for (const flag of ["--print", "--remove"]) {
      file.write(text);
      const run = await home.segue(["connect", "claude-code", flag]);
      expect(run).toMatchObject({ exitCode: 1, stdout: "" });
      expect(run.stderr).toContain(`segue: ${file.path}${place}`);
      expect(file.read()).toBe(text);
    }
});

test("the hooks go where the settings say the daemon is, and name the variable of its token, never the token", async () => {
  const home = makeHome();
  const file = agentFile(home);
  writeSettings(home, { server: { port: 4999, token: "$MY_TOKEN" } });
  const env = { MY_TOKEN: "a-secret-that-is-long" };
  const named = await home.segue(["connect", "claude-code"], { env });
  expect(named.stderr).not.toContain("set $");
  expect(file.read()).toContain('"http://127.0.0.1:4999/hooks/claude-code"');
  expect(file.read()).toContain('"Authorization":"Bearer $MY_TOKEN"');
  writeSettings(home, { server: { port: 4999, token: "a-secret-that-is-long" } });
  const literal = await home.segue(["connect", "claude-code"], { env });
  expect(literal.stderr).toContain("set $SEGUE_TOKEN");
  expect(file.read()).toContain('"allowedEnvVars":["SEGUE_TOKEN"]');
  expect(file.read() + named.stdout + literal.stdout).not.toContain("a-secret");
});

test("a list of allowed addresses that leaves the daemon out is told, and left as it is", async () => {
  const home = makeHome();
  const file = agentFile(home);
  file.write('{ "allowedHttpHookUrls": ["https://hooks.example/*"] }');
  const run = await home.segue(["connect", "claude-code"]);
  expect(run.stderr).toContain('add "http://127.0.0.1:4747/hooks/*" to that list');
  expect(JSON.parse(file.read()).allowedHttpHookUrls).toEqual(["https://hooks.example/*"]);
});

test("a daemon that runs is asked where it is", async () => {
  const home = homeWithDaemon((request) => {
    const daemon = {
      instanceId: "i",
      pid: 1,
      version: "1",
      startedAt: "",
      phase: "serving",
      url: "http://0.0.0.0:5123",
      settingsPath: "/s",
      dataDir: "/d",
    };
    const { pathname } = new URL(request.url);
    return Response.json(pathname === "/api/daemon" ? daemon : { settings: { server: {} } });
  });
  const file = agentFile(home);
  await home.segue(["connect", "claude-code"]);
  expect(file.read()).toContain('"http://127.0.0.1:5123/hooks/claude-code"');
});

test("the command for a starting agent runs as it stands, on the data folder that is meant", async () => {
  const home = makeHome();
  const file = agentFile(home);
  const data = join(home.folder, "my data");
  await home.segue(["connect", "claude-code", "--data", data]);
  const command: string = JSON.parse(file.read()).hooks.SessionStart[0].hooks[0].command;
  const hook = Bun.spawn(["sh", "-c", command], { stdin: new Blob(["{}"]), env: { HOME: home.folder } });
  expect(await hook.exited).toBe(0);
  expect(readFileSync(join(data, "hook.log"), "utf8")).toContain("cwd");
});

test("a port that is picked at the start, and an agent that is not known, are told", async () => {
  const home = makeHome();
  writeSettings(home, { server: { port: 0 } });
  const run = await home.segue(["connect", "claude-code"]);
  expect(run).toMatchObject({ exitCode: 2, stdout: "" });
  expect(run.stderr).toContain("server.port is 0");
  expect(await home.segue(["connect", "another"])).toMatchObject({ exitCode: 2, stdout: "" });
});

test("a difference shows what went and what came with the lines around it", () => {
  const before = "a\nb\nc\nd\ne\nf\ng\nh\ni\n";
  expect(differenceLines(before, before)).toEqual(["  …"]);
  expect(differenceLines(before, "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\n")).toEqual([
    "  …",
    "  c",
    "  d",
    "- e",
    "+ E",
    "  f",
    "  g",
    "  h",
    "  i",
    "+ j",
  ]);
  expect(differenceLines("", "x\n")).toEqual(["+ x"]);
  expect(differenceLines("a\nx\nb\ny\n", "x\ny\n")).toEqual(["- a", "  x", "- b", "  y"]);
});
