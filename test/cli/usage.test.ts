import { expect, test } from "bun:test";
import { makeHome, type Run } from "./segue.ts";

const stackTrace = /\n\s+at |\.ts:\d+/;

function expectUsageError(run: Run, sentence: RegExp): void {
  expect(run.stderr).toMatch(sentence);
  expect(run.stderr).not.toMatch(stackTrace);
  expect(run.stdout).toBe("");
  expect(run.exitCode).toBe(2);
}

test.each([
  [["statsu"], /unknown command 'statsu'[^]*status/],
  [["serve", "--potr", "1"], /unknown option '--potr'[^]*--port/],
  [["serve", "--port", "many"], /--port[^]*whole number from 0 to 65535/],
  [["serve", "--port", "65536"], /whole number from 0 to 65535/],
  [["serve", "--log", "xml"], /json, text/],
  [["serve", "--set", "hush-hush"], /--set needs KEY=VALUE/],
  [["serve", "extra"], /too many arguments/],
  [["send"], /missing required argument 'session'/],
  [["send", "notes", "Hello", "--wait", "soon"], /--wait[^]*number of seconds/],
  [["send", "notes", "Hello", "there"], /too many arguments/],
  [["status", "--url", "nowhere"], /--url needs an address/],
  [["status", "--url", "http://me:hush@localhost"], /must not hold a user or password/],
  [["check", "--settings", ""], /--settings needs a path/],
])("segue %p is refused with a sentence and exit code 2", async (args, sentence) => {
  const run = await makeHome().segue(args);
  expectUsageError(run, sentence);
  expect(run.stderr).not.toContain("hush");
});

test("without a command the help goes to standard error, and the exit code is 2", async () => {
  expectUsageError(await makeHome().segue([]), /Usage: segue/);
});

test("help that was asked for is the answer, and names every command", async () => {
  const run = await makeHome().segue(["--help"]);
  for (const name of [
    "serve",
    "init",
    "check",
    "send",
    "status",
    "stop",
    "tour",
    "sessions",
    "tail",
    "cancel",
    "retry",
    "rm",
    "restart",
    "version",
  ])
    expect(run.stdout).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
});

test("version prints the version alone on a line, and with --json an object", async () => {
  const home = makeHome();
  const plain = await home.segue(["version"]);
  expect(plain).toMatchObject({ exitCode: 0, stderr: "" });
  expect(plain.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const json: unknown = JSON.parse((await home.segue(["version", "--json"])).stdout);
  expect(json).toEqual({ version: plain.stdout.trim(), commit: "unknown", runtime: `bun ${Bun.version}` });
});

test.each([["status"], ["stop"], ["restart"], ["sessions"], ["tail"]])(
  "segue %s without a daemon says how to start one, and answers 6",
  async (command) => {
    const home = makeHome();
    const run = await home.segue([command]);
    expect(run.stderr).toContain(`No daemon answers at ${home.folder}/.local/share/segue/segue.sock`);
    expect(run.stderr).toContain("segue serve");
    expect(run.stderr).not.toMatch(stackTrace);
    expect(run).toMatchObject({ exitCode: 6, stdout: "" });
  },
);
