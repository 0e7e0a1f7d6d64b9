import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, chmodSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { runSegue, startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer, StatusAnswer } from "./answers.ts";
import { EventTape } from "./event-tape.ts";
import { saveSettings } from "./settings-file.ts";
import { join } from "node:path";

setDefaultTimeout(60_000);

/** Two providers that need no network: who answered is told by the model. */
function settings(provider: "first" | "second", debounceMs = 50): object {
  const providers = {
    first: { kind: "echo", model: "first-model" },
    second: { kind: "echo", model: "second-model" },
  };
  return { provider, providers, reload: { debounceMs, pollMs: 200 } };
}

interface Damage {
  name: string;
  /** Makes the file at `path` what the name says. */
  make: (path: string) => void;
  /** What the status says of it. */
  problem: object;
}

const save =
  (text: string): ((path: string) => void) =>
  (path) =>
    saveSettings(path, text, "replaced by a rename");
const text = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const isRoot = process.getuid?.() === 0;

const damages: readonly Damage[] = [
  {
    name: "that is not JSON",
    make: save('{\n  "provider": "second",\n  oh\n}\n'),
    problem: { line: 3, column: 3 },
  },
  {
    name: "with an unknown key",
    make: save('{\n  "provider": "echo",\n  "turn": { "retryMS": 5 }\n}\n'),
    problem: { path: "turn.retryMS", line: 3, column: 13, message: text(/retryMs/) },
  },
  {
    name: "with a value out of range",
    make: save('{\n  "provider": "echo",\n  "turn": {\n    "maxAttempts": 0\n  }\n}\n'),
    problem: { path: "turn.maxAttempts", line: 4, column: 20, message: text(/1/) },
  },
  {
    name: "that names a provider nobody declared",
    make: save('{ "provider": "third" }'),
    problem: { path: "provider", line: 1, column: 15, message: text(/third/) },
  },
  {
    name: "that stays half-written",
    make: (path) => writeFileSync(path, '{\n  "provider": "second",\n  "turn": {'),
    problem: { line: 3, column: expect.any(Number) },
  },
  {
    name: "that leaves the file empty",
    make: (path) => writeFileSync(path, ""),
    problem: { line: 1, column: 1, message: text(/empty/) },
  },
  {
    name: "that deletes the file",
    make: unlinkSync,
    problem: { message: text(/missing/) },
  },
  {
    name: "that puts a folder in its place",
    make: (path) => {
      unlinkSync(path);
      mkdirSync(path);
    },
    problem: { message: text(/not a regular file/) },
  },
  {
    name: "that makes it two mebibytes long",
    make: (path) => writeFileSync(path, `{ "provider": "second" }${" ".repeat(2 * 1024 * 1024)}`),
    problem: { message: text(/1 MiB/) },
  },
  {
    name: "that makes it unreadable",
    make: (path) => chmodSync(path, 0),
    problem: { message: text(/permissions/) },
  },
];

describe("an edit", () => {
  test.each(damages.filter(({ name }) => !isRoot || name !== "that makes it unreadable"))(
    "$name changes nothing, over a kill too, and the next good one is taken",
    async ({ make, problem }) => {
      const { segue, tape } = await setup();
      const before = await segue.get("/api/settings");
      make(segue.settingsPath);
      await tape.until("the edit is rejected", () => tape.all("settings.rejected").length > 0);
      await expectUnchanged(segue, before, problem);
      await segue.kill();
      const again = await segue.restart();
      await tape.follow(again);
      await expectUnchanged(again, before, problem);
      rmSync(segue.settingsPath, { recursive: true, force: true });
      saveSettings(segue.settingsPath, settings("second"), "replaced by a rename");
      await untilRevision(tape, 2);
      expect(await asked(again)).toEqual({ provider: "second", model: "second-model", revision: 2 });
      expect((await status(again)).problems).toEqual([]);
      expect(await again.stop()).toEqual({ exitCode: 0, signal: null });
    },
  );

  test("that is half-written and whole 50 ms later leaves no trace but its revision", async () => {
    const { segue, tape } = await setup(1000);
    const whole = JSON.stringify(settings("second", 1000), null, 2);
    writeFileSync(segue.settingsPath, whole.slice(0, whole.length / 2));
    await Bun.sleep(50);
    appendFileSync(segue.settingsPath, whole.slice(whole.length / 2));
    await untilRevision(tape, 2);
    expect(await asked(segue)).toEqual({ provider: "second", model: "second-model", revision: 2 });
    expect(tape.events.filter(({ type }) => /^settings\.(rejected|recovered)$/.test(type))).toEqual([]);
    expect(tape.all("settings.changed")).toHaveLength(2);
    await segue.stop();
  });

  test("that is bad is told once, each other one again, and what is put right without a new revision too", async () => {
    const { segue, tape } = await setup();
    const good = JSON.stringify(settings("first"), null, 2);
    for (const [at, bad] of ["{", "[]", "{"].entries()) {
      saveSettings(segue.settingsPath, bad, "written in place");
      await tape.until(`bad edit ${at + 1} is told`, () => tape.all("settings.rejected").length === at + 1);
      expect((await status(segue)).problems).not.toEqual([]);
    }
    saveSettings(segue.settingsPath, good, "replaced by a rename");
    await tape.until("the file is good again", () => tape.all("settings.recovered").length === 1);
    expect(await status(segue)).toMatchObject({ revision: 1, problems: [] });
    expect(tape.all("settings.changed")).toHaveLength(1);
    expect(tape.all("settings.rejected")).toHaveLength(3);
    await segue.stop();
  });

  test("that is bad stands in segue status with its line and column", async () => {
    const { segue, tape } = await setup();
    saveSettings(segue.settingsPath, '{\n  "provider": 4,\n}\n', "replaced by a rename");
    await tape.until("the edit is rejected", () => tape.all("settings.rejected").length > 0);
    const { stdout, exitCode } = await runSegue(["status", "--data", segue.dataDir, "--no-color"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${segue.settingsPath}:2:15: `);
    await segue.stop();
  });
});

describe("a start on a bad file", () => {
  test("is refused with --strict, though settings are kept: exit code 5 and the place", async () => {
    const { segue } = await setup();
    await segue.stop();
    writeFileSync(segue.settingsPath, '{\n  "provider": "nobody"\n}\n');
    const places = ["--settings", segue.settingsPath, "--data", segue.dataDir];
    const { exitCode, stderr, stdout } = await runSegue(["serve", ...places, "--strict", "--port", "0"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: "" });
    expect(stderr).toContain(`${segue.settingsPath}:2:15: `);
  });

  test("is refused where nothing is kept: exit code 5, and each problem with its place", async () => {
    const folder = makeFolder();
    const path = join(folder, "settings.json");
    writeFileSync(path, '{\n  "provder": "echo",\n  "turn": { "maxAttempts": "five" }\n}\n');
    const run = await runSegue(["serve", "--settings", path, "--data", join(folder, "data"), "--port", "0"], {
      folder,
    });
    expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 5, stdout: "" });
    const places = run.stderr.split("\n").filter((line) => line.startsWith(`${path}:`));
    expect(places).toHaveLength(2);
    expect(places[0]).toMatch(/:2:3: .*provider/);
    expect(places[1]).toMatch(/:3:28: .*maxAttempts/);
  });
});

async function setup(debounceMs?: number): Promise<{ segue: Segue; tape: EventTape }> {
  const segue = await startSegue({ settings: settings("first", debounceMs) });
  const tape = new EventTape();
  await tape.follow(segue);
  await untilRevision(tape, 1);
  return { segue, tape };
}

async function untilRevision(tape: EventTape, revision: number): Promise<void> {
  await tape.until(`revision ${revision} is in force`, () =>
    tape.all("settings.changed").some((event) => event.data["revision"] === revision),
  );
}

function status(segue: Segue): Promise<StatusAnswer> {
  return segue.get("/api/settings/status");
}

/** Who answers a message. */
async function asked(segue: Segue): Promise<Pick<MessageAnswer, "provider" | "model" | "revision">> {
  const path = "/api/sessions/asked/messages";
  const message = await segue.post<MessageAnswer>(path, { content: "Who is there?" }, { Prefer: "wait=30" });
  const { provider, model, revision } = message;
  return { provider, model, revision };
}

async function expectUnchanged(segue: Segue, before: unknown, problem: object): Promise<void> {
  expect(await asked(segue)).toEqual({ provider: "first", model: "first-model", revision: 1 });
  expect(await segue.get("/api/settings")).toEqual(before);
  const { revision, problems } = await status(segue);
  expect(revision).toBe(1);
  expect(problems[0]).toMatchObject(problem);
}
