import { afterEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createApp } from "../../src/http/app.ts";
import { startApp, stopApps } from "../http/daemon-app.ts";
import { closeHomes, homeWithDaemon } from "./daemon-home.ts";
import { makeHome, type Home } from "./segue.ts";

afterEach(closeHomes);
afterEach(stopApps);

/** A home whose daemon has one session with a message that takes long. */
async function setup(): Promise<Home> {
  const app = await startApp({ providers: { echo: { delayMs: 60_000 } } });
  await app.post("a", "Grüße");
  await app.clock.settle();
  const interfaceOnSocket = createApp(app.services, "socket");
  return homeWithDaemon((request) => interfaceOnSocket.fetch(request));
}

test("checkpoint prints what the API returns, and writes the same to a file of its user alone", async () => {
  const home = await setup();
  const printed = await home.segue(["checkpoint"]);
  expect(printed).toMatchObject({ exitCode: 0, stderr: "" });
  expect(JSON.parse(printed.stdout)).toMatchObject({ version: 1, sessions: [{ id: "a" }] });
  const file = join(home.folder, "kept.json");
  writeFileSync(file, "older");
  const written = await home.segue(["checkpoint", "--out", "kept.json"]);
  expect(written).toMatchObject({ exitCode: 0, stderr: "" });
  expect(written.stdout).toBe(`Written to kept.json (${statSync(file).size} bytes).\n`);
  expect(readFileSync(file, "utf8")).toBe(printed.stdout);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a checkpoint that breaks off leaves the file as it was, and nothing beside it", async () => {
  const whole = '{"version":1,"sessions":[],"active":[]}\n';
  const home = homeWithDaemon(() => new Response(whole.slice(0, -2)));
  writeFileSync(join(home.folder, "kept.json"), "older");
  const run = await home.segue(["checkpoint", "--out", "kept.json"]);
  expect(run).toMatchObject({ exitCode: 6, stdout: "" });
  expect(run.stderr).toContain("did not arrive whole");
  expect(readFileSync(join(home.folder, "kept.json"), "utf8")).toBe("older");
  expect(readdirSync(home.folder).filter((name) => !name.startsWith("."))).toEqual(["kept.json"]);
});

test("a pipe is written to and stays one, and a link keeps pointing where it does", async () => {
  const home = await setup();
  const pipe = join(home.folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const read = readFile(pipe, "utf8");
  expect(await home.segue(["checkpoint", "--out", "pipe"])).toMatchObject({ exitCode: 0, stderr: "" });
  expect(JSON.parse(await read)).toMatchObject({ version: 1, sessions: [{ id: "a" }] });
  expect(statSync(pipe).isFIFO()).toBe(true);
  writeFileSync(join(home.folder, "kept.json"), "older");
  symlinkSync("kept.json", join(home.folder, "link.json"));
  await home.segue(["checkpoint", "--out", "link.json"]);
  expect(lstatSync(join(home.folder, "link.json")).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(home.folder, "kept.json"), "utf8")).toStartWith('{"version":1');
});

test("a file that cannot be written is named", async () => {
  const home = await setup();
  const run = await home.segue(["checkpoint", "--out", "none/kept.json"]);
  expect(run).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run.stderr).toContain("none/kept.json cannot be written");
});

test("restore puts a checkpoint into the data folder without a daemon; a second time it names what is there", async () => {
  const from = await setup();
  const file = join(from.folder, "kept.json");
  await from.segue(["checkpoint", "--out", file]);
  const home = makeHome();
  expect(await home.segue(["restore", file])).toEqual({
    exitCode: 0,
    stdout: "Restored. Sessions: 1, pending messages: 1; `segue serve` goes on with them.\n",
    stderr: "",
  });
  const again = await home.segue(["restore", file, "--json"]);
  expect(again).toMatchObject({ exitCode: 1, stdout: "" });
  expect(again.stderr).toMatch(/nothing was restored.*\nsession a: is in.*\nmessage msg_\w+: is in/);
  expect((await home.segue(["restore", file, "--data", "other", "--json"])).stdout).toBe(
    '{"sessions":1,"pending":1}\n',
  );
});

test("restore of what is no checkpoint is refused, and makes no data folder", async () => {
  const home = makeHome();
  writeFileSync(join(home.folder, "notes.txt"), "hello");
  for (const file of ["notes.txt", "none.json"]) {
    const run = await home.segue(["restore", file]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain("checkpoint");
  }
  expect(existsSync(join(home.folder, ".local"))).toBe(false);
});
