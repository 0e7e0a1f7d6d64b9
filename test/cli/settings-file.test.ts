import { describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/workspace.ts";
import { makeHome } from "./segue.ts";

test("init writes a settings file of the user's own in which nothing is wrong, and its schema beside it", async () => {
  const home = makeHome();
  const file = join(home.folder, ".config", "segue", "settings.json");
  expect(await home.segue(["init"])).toMatchObject({ exitCode: 0, stdout: `Wrote ${file}\n` });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).toContain('"$schema": "./settings.schema.json"');
  expect(JSON.parse(readFileSync(join(file, "..", "settings.schema.json"), "utf8"))).toHaveProperty(
    "properties.provider",
  );
  expect(await home.segue(["check"])).toMatchObject({ exitCode: 0, stdout: `${file}: nothing is wrong.\n` });
});

test("init never overwrites: the file stays as it is, and the exit code is 1", async () => {
  const home = makeHome();
  const folder = makeFolder("mine");
  const file = join(folder, "mine.json");
  writeFileSync(file, "{}");
  const run = await home.segue(["init", "--settings", file]);
  expect(run.stderr).toContain(`${file} is there already`);
  expect(run.exitCode).toBe(1);
  expect(readFileSync(file, "utf8")).toBe("{}");
  expect(readdirSync(folder)).toEqual(["mine.json"]);
});

test("check prints every problem as FILE:LINE:COLUMN: message, and answers 5", async () => {
  const home = makeHome();
  writeFileSync(
    join(home.folder, "bad.json"),
    '{\n  "provider": "nobody",\n  "turn": { "maxAttemps": 3 }\n}\n',
  );
  const run = await home.segue(["check", "bad.json"]);
  const lines = run.stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^bad\.json:2:15: /);
  expect(lines[1]).toMatch(/^bad\.json:3:13: .*turn\.maxAttempts/);
  expect(run).toMatchObject({ exitCode: 5, stderr: "" });
});

test("check reads references from the environment it runs in", async () => {
  const home = makeHome();
  const settings = '{ "provider": "claude", "providers": { "claude": { "apiKey": "$TOUR_KEY" } } }';
  writeFileSync(join(home.folder, "settings.json"), settings);
  expect((await home.segue(["check", "settings.json"])).exitCode).toBe(5);
  const run = await home.segue(["check", "settings.json"], { env: { TOUR_KEY: "sk-hush" } });
  expect(run.exitCode).toBe(0);
  expect(run.stdout + run.stderr).not.toContain("sk-hush");
});

test("check --json prints the problems as an object", async () => {
  const home = makeHome();
  writeFileSync(join(home.folder, "settings.json"), "{");
  const run = await home.segue(["check", "settings.json", "--json"]);
  expect(JSON.parse(run.stdout)).toMatchObject({
    path: join(home.folder, "settings.json"),
    problems: [{ line: 1 }],
  });
  expect(run.exitCode).toBe(5);
});

test("check of a named file that is not there, or is a folder, is a sentence and 5", async () => {
  const home = makeHome();
  const missing = await home.segue(["check", "nothing.json"]);
  expect(missing).toMatchObject({ exitCode: 5, stdout: "" });
  expect(missing.stderr).toBe("segue: nothing.json cannot be read: there is no such file.\n");
  expect((await home.segue(["check", "."])).stderr).toBe("segue: . cannot be read: it is a folder.\n");
});

test("check without a file means the daemon's own, of which none yet is defaults", async () => {
  const home = makeHome();
  const run = await home.segue(["check"], { env: { SEGUE_SETTINGS: join(home.folder, "absent.json") } });
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(run.stdout).toContain("absent.json: no such file; the defaults hold.");
});

describe("migrate", () => {
  const legacy =
    '{ "env": { "CLAUDE_MEM_PROVIDER": "gemini", "CLAUDE_MEM_GEMINI_API_KEY": "marked-key", "CLAUDE_MEM_MODE": "code" } }';

  test("writes claude-mem's settings in Segue's own form, mode kept, and keeps the file as it was", async () => {
    const home = makeHome();
    const file = join(home.folder, "settings.json");
    writeFileSync(file, legacy);
    // Not by `mode` alone: what that gives depends on the umask, which a daemon in this process narrows.
    chmodSync(file, 0o640);
    expect((await home.segue(["check", file])).stderr).toContain("Ignored: env.CLAUDE_MEM_MODE");
    const run = await home.segue(["migrate", "--settings", file]);
    expect(run).toMatchObject({ exitCode: 0, stdout: `Wrote ${file}\n` });
    expect(run.stderr).toBe(
      `The file as it was is kept as ${file}.claude-mem\nLeft out: env.CLAUDE_MEM_MODE\n`,
    );
    expect(readFileSync(`${file}.claude-mem`, "utf8")).toBe(legacy);
    expect(readFileSync(file, "utf8")).toContain('"provider": "gemini", // env.CLAUDE_MEM_PROVIDER');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect((await home.segue(["migrate", "--settings", file])).stdout).toContain("nothing to migrate");
    expect((await home.segue(["get", "provider", "--settings", file])).stdout).toBe("gemini\n");
  });

  test("with --out writes a new file, for its user alone, and never overwrites", async () => {
    const home = makeHome();
    const file = join(home.folder, "settings.json");
    const out = join(home.folder, "new", "settings.json");
    writeFileSync(file, legacy);
    expect(await home.segue(["migrate", "--settings", file, "--out", out])).toMatchObject({ exitCode: 0 });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toBe(legacy);
    expect((await home.segue(["set", "log.level", "warn", "--settings", file])).stderr).toContain(
      "segue migrate",
    );
    const again = await home.segue(["migrate", "--settings", file, "--out", out]);
    expect(again).toMatchObject({ exitCode: 1, stdout: "" });
    expect(again.stderr).toContain("never overwrites");
  });
});
