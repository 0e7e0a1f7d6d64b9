import { Database } from "bun:sqlite";
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { runSegue, startSegue, type Segue } from "../support/segue.ts";
import { installProgram } from "../support/variant.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer } from "./answers.ts";
import { messagesOf } from "./conversations.ts";
import { daemonOf } from "./restarting.ts";
import { readStoredMessages } from "./stored-messages.ts";
import { buildFaulty, buildMigrating, faultEnv, type Fault, plan, unmigratable } from "./upgrade-faults.ts";

setDefaultTimeout(90_000);

/** All the ways in which an upgrade can break off take a minute; `SEGUE_UPGRADES=all` tries them. */
const isWhole = process.env["SEGUE_UPGRADES"] === "all";
const never = 600_000;
const [oldVersion, newVersion] = ["2.0.0", "3.0.0"];
const builds = { old: "", migrating: "" };

beforeAll(async () => {
  builds.old = await buildFaulty(oldVersion);
  builds.migrating = await buildMigrating(newVersion);
});

/** A daemon of the old program, which is installed where the new one can take its place. */
class Installed {
  readonly program: string;
  #segue: Segue;

  private constructor(segue: Segue, program: string) {
    this.#segue = segue;
    this.program = program;
  }

  get segue(): Segue {
    return this.#segue;
  }

  static async start(delayMs = 1): Promise<Installed> {
    const program = join(makeFolder("installed"), "segue");
    installProgram(builds.old, program);
    const settings = {
      providers: { echo: { delayMs } },
      daemon: { graceMs: 300 },
      reload: { debounceMs: 20 },
    };
    const env = faultEnv(dirname(program));
    return new Installed(await startSegue({ settings, program: [program], env }), program);
  }

  plan(fault: Fault): void {
    plan(dirname(this.program), fault);
  }

  /** Posts a message into the session `a`. */
  post(content: string): Promise<MessageAnswer> {
    return this.segue.post("/api/sessions/a/messages", { content });
  }

  /** Posts some, and resolves when all have ended. */
  async talk(contents: readonly string[]): Promise<void> {
    for (const content of contents) await this.post(content);
    await eventually("all answered", async () =>
      (await messagesOf(this.segue, "a")).every(({ status }) => status === "done"),
    );
  }

  /** `segue restart --upgrade`, after the new program was put in the place of the old one. */
  async upgrade(program = builds.migrating): Promise<{ exitCode: number | null; said: string }> {
    installProgram(program, this.program);
    const { exitCode, stdout, stderr } = await runSegue([
      "restart",
      "--upgrade",
      "--data",
      this.segue.dataDir,
    ]);
    return { exitCode, said: stdout + stderr };
  }

  async daemon(): Promise<{ version: string; pid: number; instanceId: string; reason: string | undefined }> {
    const { version, pid, instanceId, lastRestart } = await daemonOf(this.segue);
    return { version, pid, instanceId, reason: lastRestart?.reason };
  }

  /** After `kill -9` at a fault: the same command again. */
  async again(): Promise<void> {
    expect(await this.segue.process.ended()).toEqual({ exitCode: null, signal: "SIGKILL" });
    const { integrity } = readStoredMessages(this.segue.dataDir);
    expect(integrity).toBe("ok");
    await this.startAgain();
  }

  async startAgain(): Promise<void> {
    this.#segue = await this.#segue.restart({ program: [this.program] });
  }
}

function tablesOf(dataDir: string): { version: number; tables: string[] } {
  const database = new Database(join(dataDir, "segue.db"), { readonly: true });
  const [found] = database.query<{ user_version: number }, []>("PRAGMA user_version").all();
  const tables = database
    .query<{ sql: string }, []>("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    .all()
    .map(({ sql }) => sql);
  database.close(true);
  return { version: found?.user_version ?? 0, tables };
}

const three = ["one", "two", "three"];

/** All messages of the session, each answered once with what it said. */
async function expectAnswered({ segue }: Installed, contents: readonly string[]): Promise<void> {
  const all = await eventually("all answered", async () => {
    const messages = await messagesOf(segue, "a");
    return messages.every(({ status }) => status === "done") ? messages : undefined;
  });
  expect(all.map(({ seq, content, reply }) => ({ seq, content, reply }))).toEqual(
    contents.map((content, at) => ({ seq: at + 1, content, reply: content })),
  );
}

/** The old program serves on as if nothing had been, or was started again where it had ended its work. */
async function expectOldServes(installed: Installed, before: ReturnType<typeof tablesOf>): Promise<void> {
  expect(await installed.daemon()).toMatchObject({
    version: oldVersion,
    pid: installed.segue.process.pid,
  });
  expect(tablesOf(installed.segue.dataDir)).toEqual(before);
  await installed.talk(["still there"]);
}

describe("an upgrade", () => {
  test("goes over in the same process to the program on disk, on a store that was copied and migrated", async () => {
    const installed = await Installed.start();
    const { segue } = installed;
    await installed.talk(three);
    const before = tablesOf(segue.dataDir);
    const reader = segue.nextEvent(undefined, ({ type }) => type === "daemon.restarted", "session=a");
    reader.catch(() => undefined);
    await eventually("a subscriber", async () => (await daemonOf(segue)).phase === "serving");
    const { exitCode, said } = await installed.upgrade();
    expect({ exitCode, said }).toEqual({
      exitCode: 0,
      said: `Upgraded from ${oldVersion} to ${newVersion}; it serves at ${segue.url}.\n`,
    });
    const { pid } = segue.process;
    expect(await installed.daemon()).toMatchObject({ version: newVersion, pid, reason: "upgrade" });
    expect(tablesOf(segue.dataDir).version).toBe(before.version + 1);
    const copy = join(segue.dataDir, `segue.db.before-upgrade-from-${before.version}`);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    await installed.talk(["four"]);
    await expectAnswered(installed, [...three, "four"]);
    const transcript = await (await segue.request("/api/sessions/a/transcript")).text();
    expect(transcript).toContain("[system] The daemon restarted for an upgrade. Your session state");
    expect(existsSync(join(segue.dataDir, "handover.json"))).toBe(false);
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
    expect(existsSync(join(segue.dataDir, "daemon.json"))).toBe(false);
  });

  test("puts back a turn that outlasts the grace, and answers who waits with 202", async () => {
    const installed = await Installed.start(never);
    const { segue } = installed;
    const waiting = segue.request("/api/sessions/a/messages", {
      method: "POST",
      body: "slow",
      headers: { "Content-Type": "text/plain", Prefer: "wait=60" },
    });
    await segue.nextEvent(0, ({ type }) => type === "message.started");
    const { exitCode } = await installed.upgrade(builds.old);
    expect(exitCode).toBe(0);
    expect((await waiting).status).toBe(202);
    const { lastRestart } = await daemonOf(segue);
    expect(lastRestart).toMatchObject({ requeued: 1, timedOut: 1, sessions: [{ id: "a", turns: 0 }] });
    const [message] = await messagesOf(segue, "a");
    expect(message).toMatchObject({ content: "slow", attempts: 1 });
    await segue.kill();
  });

  test("leaves the lock on the folder and the port to nobody else, over several", async () => {
    const installed = await Installed.start();
    const { segue } = installed;
    for (let time = 0; time < 2; time++) expect((await installed.upgrade(builds.old)).exitCode).toBe(0);
    const held = await runSegue(["serve", "--data", segue.dataDir, "--port", "0"]);
    expect({ exitCode: held.exitCode, who: held.stderr }).toMatchObject({ exitCode: 3 });
    expect(held.stderr).toContain(`pid ${segue.process.pid}`);
    const taken = await runSegue(["serve", "--port", new URL(segue.url).port]);
    expect(taken.exitCode).toBe(4);
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
    const after = await segue.restart({ program: [installed.program] });
    await after.stop();
  });

  test("that is told to stop in its drain stops", async () => {
    const installed = await Installed.start(never);
    const { segue } = installed;
    await installed.post("slow");
    await segue.nextEvent(0, ({ type }) => type === "message.started");
    installProgram(builds.migrating, installed.program);
    await segue.post("/api/daemon/restart", { upgrade: true });
    await segue.nextEvent(0, ({ type, data }) => type === "daemon.draining" && data["reason"] === "upgrade");
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
    expect(tablesOf(segue.dataDir).tables.join("\n")).not.toContain("proof");
  });
});

const stops: Fault[] = isWhole
  ? ["stop when the store is closed", "stop before it listens", "stop when it listens"]
  : ["stop when the store is closed"];
test.each(stops)("an upgrade with a SIGTERM (%s) ends the process, and nothing is lost", async (fault) => {
  const installed = await Installed.start(40);
  for (const content of three) await installed.post(content);
  installed.plan(fault);
  installProgram(builds.migrating, installed.program);
  await installed.segue.post("/api/daemon/restart", { upgrade: true });
  expect(await installed.segue.process.ended()).toEqual({ exitCode: 0, signal: null });
  expect(existsSync(join(installed.segue.dataDir, "daemon.json"))).toBe(false);
  await installed.startAgain();
  await expectAnswered(installed, three);
  await installed.segue.stop();
});

describe("a program that cannot take over", () => {
  const otherPrograms: [string, string, string][] = [
    ["is no program", "not a program\n", "cannot take over"],
    ["ends at once", "#!/bin/sh\nexit 9\n", "exit code 9"],
    ["says something else", "#!/bin/sh\necho hello\n", "does not answer like a Segue"],
  ];
  test.each(isWhole ? otherPrograms : otherPrograms.slice(0, 1))(
    "because it %s changes nothing",
    async (_, text, reason) => {
      const installed = await Installed.start();
      const before = tablesOf(installed.segue.dataDir);
      const { instanceId } = await installed.daemon();
      const other = join(makeFolder("other"), "segue");
      writeFileSync(other, text, { mode: 0o755 });
      const { exitCode, said } = await installed.upgrade(other);
      expect({ exitCode, said }).toEqual({ exitCode: 1, said: expect.stringContaining(reason) });
      expect((await installed.daemon()).instanceId).toBe(instanceId);
      await expectOldServes(installed, before);
      await installed.segue.stop();
    },
  );

  test("because it finds the settings invalid changes nothing, and says where", async () => {
    const installed = await Installed.start();
    const { segue } = installed;
    const before = tablesOf(segue.dataDir);
    const { instanceId } = await installed.daemon();
    writeFileSync(segue.settingsPath, '{\n  "provider": 7\n}\n');
    const { exitCode, said } = await installed.upgrade();
    expect({ exitCode, said }).toEqual({
      exitCode: 1,
      said: expect.stringContaining(`${segue.settingsPath}:2:15:`),
    });
    expect((await installed.daemon()).instanceId).toBe(instanceId);
    await expectOldServes(installed, before);
    await segue.stop();
  });

  test("because its migration fails leaves the store as it was, and the old program serves again", async () => {
    const installed = await Installed.start();
    const contents = [...three, unmigratable];
    await installed.talk(contents);
    const before = tablesOf(installed.segue.dataDir);
    const { exitCode, said } = await installed.upgrade();
    expect({ exitCode, said }).toEqual({
      exitCode: 1,
      said: expect.stringContaining("the store could not be migrated"),
    });
    await expectOldServes(installed, before);
    await expectAnswered(installed, [...contents, "still there"]);
    // What it came back as can be upgraded again, from the path it was installed at.
    expect((await installed.upgrade(builds.old)).exitCode).toBe(0);
    expect(await installed.segue.stop()).toEqual({ exitCode: 0, signal: null });
  });

  const inNew: Fault[] = isWhole
    ? [
        "kill in the rehearsal",
        "throw in the rehearsal",
        "kill in the migration",
        "throw in the migration",
        "throw before it listens",
      ]
    : ["throw before it listens"];
  test.each(inNew)("because of a %s leaves all to the old one", async (fault) => {
    const installed = await Installed.start();
    await installed.talk(three);
    const before = tablesOf(installed.segue.dataDir);
    installed.plan(fault);
    expect((await installed.upgrade()).exitCode).toBe(1);
    await expectOldServes(installed, before);
    await expectAnswered(installed, [...three, "still there"]);
    const told = await installed.segue.nextEvent(0, ({ type }) => type === "daemon.restart_failed");
    expect(String(told.data["reason"])).not.toBe("");
    await installed.segue.stop();
  });
});

describe("kill -9 of an upgrade", () => {
  const kills: Fault[] = isWhole
    ? ["kill in the drain", "kill when the store is closed", "kill before it listens", "kill when it listens"]
    : ["kill before it listens"];
  test.each(kills)("%s loses nothing: the next start is of the program on disk", async (fault) => {
    const installed = await Installed.start(40);
    for (const content of three) await installed.post(content);
    installed.plan(fault);
    installProgram(builds.migrating, installed.program);
    await installed.segue.post("/api/daemon/restart", { upgrade: true });
    await installed.again();
    expect(await installed.daemon()).toMatchObject({ version: newVersion });
    await expectAnswered(installed, three);
    await installed.segue.stop();
  });
});
