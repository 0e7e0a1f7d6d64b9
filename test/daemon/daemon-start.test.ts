import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningDaemon, startDaemonIn } from "../../src/daemon/daemon.ts";
import { systemOutside } from "../../src/daemon/outside.ts";
import { fetchOnSocket, openDatabase } from "../../src/platform/bun.ts";
import type { Database, Statement } from "../../src/platform/platform.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, takenPort } from "../support/ports.ts";
import { type Place, get, isGone, place, post, refusalOf, silently, stopDaemons } from "./place.ts";

afterEach(stopDaemons);

describe("a start that fails", () => {
  test("on a folder that is taken names who has it, and leaves that one alone", async () => {
    const { start } = place();
    const daemon = await start();
    const refusal = await refusalOf(start());
    expect(refusal.code).toBe("already_running");
    expect(refusal.message).toContain(daemon.url);
    expect(await post(daemon, "still here", "wait=60")).toMatchObject({ reply: "still here" });
    expect((await fetchOnSocket(daemon.socket ?? "", "/readyz", {})).status).toBe(200);
  });

  test("for a port that is taken lets go of the folder", async () => {
    const { options, start } = place();
    const flags = [...options.flags, { key: "server.port", value: await takenPort() }];
    expect((await refusalOf(start({ flags }))).code).toBe("cannot_listen");
    expect(existsSync(join(options.dataDir, "daemon.json"))).toBe(false);
    await start();
  });

  test("for settings that are bad says what is wrong, and lets go of the folder", async () => {
    const { start, write } = place(`{ "turn": { "maxAttempts": 0 } }`);
    const refusal = await refusalOf(start());
    expect(refusal.code).toBe("settings_invalid");
    expect(refusal.problems).toMatchObject([{ path: "turn.maxAttempts", line: 1, column: 28 }]);
    write({});
    await start();
  });

  test("for a store that is damaged names it, and leaves it as it is", async () => {
    const { options, start } = place();
    mkdirSync(options.dataDir);
    const store = join(options.dataDir, "segue.db");
    writeFileSync(store, "no database at all. ".repeat(100));
    const refusal = await refusalOf(start());
    expect(refusal.code).toBe("storage");
    expect(refusal.message).toContain("segue.db");
    expect(readFileSync(store, "utf8")).toStartWith("no database at all");
  });

  /** Starts a daemon that cannot write where it is found once a turn has begun; answers what is stored when it has failed. */
  async function failingInTurn(settings: { providers: object; daemon: object }): Promise<Database> {
    const { options } = place(settings);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const { files, ...outside } = systemOutside();
    const rename = async (): Promise<never> => {
      const { id } = await post({ url }, "hello");
      const path = `/api/messages/${String(id)}`;
      await eventually("the turn begins", async () => (await get({ url }, path))["status"] === "running");
      throw Object.assign(new Error("no room"), { code: "ENOSPC" });
    };
    const flags = [silently, { key: "server.port", value: port }];
    const starting = startDaemonIn({ ...outside, files: { ...files, rename } }, { ...options, flags });
    expect((await refusalOf(starting)).code).toBe("storage_full");
    return openDatabase(join(options.dataDir, "segue.db"));
  }

  const lastEvents =
    "SELECT type FROM events WHERE type IN ('daemon.draining', 'message.requeued', 'message.done', 'daemon.stopping')";

  test("when it answers already drains: at the grace the turn is aborted, and its message put back", async () => {
    const store = await failingInTurn({
      providers: { echo: { delayMs: 600_000 } },
      daemon: { graceMs: 100 },
    });
    expect(store.prepare("SELECT status, crashes FROM messages").all()).toEqual([
      { status: "pending", crashes: 0 },
    ]);
    const types = store.prepare(lastEvents).all();
    expect(types.map(({ type }) => type)).toEqual(["daemon.draining", "message.requeued", "daemon.stopping"]);
    store.close();
  });

  test("when it answers already lets the turn end that has begun", async () => {
    const store = await failingInTurn({
      providers: { echo: { delayMs: 500 } },
      daemon: { graceMs: 60_000 },
    });
    expect(store.prepare("SELECT status FROM messages").all()).toEqual([{ status: "done" }]);
    store.close();
  });
});

describe("the settings file", () => {
  test("that is bad at a later start leaves the last good revision in force, unless it is strict", async () => {
    const { start, write } = place({ turn: { maxAttempts: 3 } });
    await (await start()).stop("test");
    write("{ broken");
    expect((await refusalOf(start({ isStrict: true }))).code).toBe("settings_invalid");
    const daemon = await start();
    expect(await get(daemon, "/api/settings")).toMatchObject({
      revision: 1,
      settings: { turn: { maxAttempts: 3 } },
    });
    expect(await get(daemon, "/api/settings/status")).toMatchObject({ problems: [{ line: 1 }] });
  });

  test("that another address is written into moves the daemon there, and the old one is let go", async () => {
    const { start, write } = place();
    const [first, second] = [await freePort(), await freePort()];
    write({ server: { port: first }, daemon: { graceMs: 100 } });
    const daemon = await start({ flags: [silently] });
    expect(daemon.url).toBe(`http://127.0.0.1:${first}`);
    write({ server: { port: second }, daemon: { graceMs: 100 } });
    await daemon.reload();
    await eventually("the daemon has moved", async () => (await get(daemon, "/api/daemon"))["lastRestart"]);
    expect(daemon.url).toBe(`http://127.0.0.1:${second}`);
    expect(await post(daemon, "over here", "wait=60")).toMatchObject({ reply: "over here" });
    await eventually("the old address is let go", () => isGone(`http://127.0.0.1:${first}`));
  });

  test("that an address which is taken is written into leaves the daemon where it is, and says so", async () => {
    const { start, write } = place();
    const [own, taken] = [await freePort(), await takenPort()];
    write({ server: { port: own } });
    const daemon = await start({ flags: [silently] });
    write({ server: { port: taken } });
    await daemon.reload();
    const notInForce = async () => {
      const status = await get(daemon, "/api/settings/status");
      return JSON.stringify(status["notInForce"]).includes("listens there already") ? status : undefined;
    };
    const status = await eventually("the refusal is shown", notInForce);
    expect(status).toMatchObject({ revision: 2, notInForce: [{ key: "server.port" }] });
    expect(daemon.url).toBe(`http://127.0.0.1:${own}`);
    expect(await post(daemon, "still here", "wait=60")).toMatchObject({ reply: "still here" });
  });
});

describe("a start after the settings were edited while nothing ran", () => {
  const gone = { kind: "command", model: "m", argv: ["/nowhere/to/be/found"] };

  /** A daemon whose provider is held, and that was stopped. */
  async function held(): Promise<Place & { message: string }> {
    const it = place({ provider: "gone", providers: { gone } });
    const daemon = await it.start();
    const { id } = await post(daemon, "hello");
    await eventually("it is held", async () => (await heldBy(daemon)).length === 1);
    await daemon.stop("test");
    return { ...it, message: String(id) };
  }

  async function heldBy(daemon: RunningDaemon): Promise<unknown[]> {
    const { held: holds } = await get(daemon, "/api/settings/status");
    return Array.isArray(holds) ? holds : [holds];
  }

  test("ends the hold on what nobody wants any more", async () => {
    const { start, write, message } = await held();
    write({ provider: "echo", providers: { gone } });
    const daemon = await start();
    expect(await heldBy(daemon)).toEqual([]);
    await eventually(
      "the message is answered",
      async () => (await get(daemon, `/api/messages/${message}`))["status"] === "done",
    );
  });

  test("ends every hold where the guard is off by now", async () => {
    const { start, write } = await held();
    write({ provider: "gone", providers: { gone }, reload: { guard: "off" } });
    expect(await heldBy(await start())).toEqual([]);
  });

  test("keeps a hold that is wanted still", async () => {
    const { start, write } = await held();
    write({ provider: "gone", providers: { gone }, turn: { system: "Be brief." } });
    expect(await heldBy(await start())).toHaveLength(1);
  });
});

describe("a start that finds messages in flight", () => {
  /** As a process leaves it that was killed after its first turn began and before it wrote daemon.json. */
  async function killedEarly(): Promise<Place> {
    const gone = { kind: "command", model: "m", argv: ["/nowhere/to/be/found"] };
    const it = place({ provider: "gone", providers: { gone } });
    const daemon = await it.start();
    await post(daemon, "hello");
    await daemon.stop("test");
    const store = openDatabase(join(it.options.dataDir, "segue.db"));
    store
      .prepare(
        "UPDATE messages SET status = 'running', lease_boot = 'boot_killed', lease_generator = 'gen_killed'",
      )
      .run();
    store.prepare("UPDATE sessions SET pending = 0").run();
    store.close();
    it.write({ provider: "echo" });
    return it;
  }

  async function transcriptOf(daemon: RunningDaemon): Promise<string> {
    await post(daemon, "and now?", "wait=60");
    return (await fetch(`${daemon.url}/api/sessions/a/transcript`)).text();
  }

  test("tells their sessions of a crash, whatever was written of it", async () => {
    const { start } = await killedEarly();
    expect(await transcriptOf(await start())).toContain("The daemon stopped unexpectedly.");
  });

  test("does so too where the one before it ended between the messages and the notes", async () => {
    const { options, start } = await killedEarly();
    const database = new UnreadableDatabase("INSERT INTO notes");
    const openUnreadable = (path: string): Database => database.over(openDatabase(path));
    const starting = startDaemonIn({ ...systemOutside(), openDatabase: openUnreadable }, options);
    expect((await refusalOf(starting)).code).toBe("storage");
    expect(await transcriptOf(await start())).toContain("The daemon stopped unexpectedly.");
  });
});

test("a start over a store that cannot be read when it answers already loads its sessions as soon as it can", async () => {
  const gone = { kind: "command", model: "m", argv: ["/nowhere/to/be/found"] };
  const { options, start, write } = place({ provider: "gone", providers: { gone } });
  const { id } = await post(await start(), "hello");
  await stopDaemons();
  write({ provider: "echo" });
  const database = new UnreadableDatabase("SELECT id FROM sessions WHERE pending > 0");
  const lines: string[] = [];
  const outside = {
    ...systemOutside(),
    openDatabase: (path: string) => database.over(openDatabase(path)),
    writeLog: (line: string) => void lines.push(line),
  };
  const flags = [
    { key: "log.level", value: "error" },
    { key: "server.port", value: 0 },
  ];
  const daemon = await startDaemonIn(outside, { ...options, flags });
  try {
    expect(lines.join()).toContain("waits for the store");
    expect(await get(daemon, `/api/messages/${String(id)}`)).toMatchObject({ status: "pending" });
    database.isReadable = true;
    await eventually(
      "the message is answered",
      async () => (await get(daemon, `/api/messages/${String(id)}`))["status"] === "done",
    );
    expect(lines).toHaveLength(1);
  } finally {
    await daemon.stop("test");
  }
});

test("a daemon whose sessions are still to be loaded stops at once", async () => {
  const { options } = place();
  const database = new UnreadableDatabase("SELECT id FROM sessions WHERE pending > 0");
  const openUnreadable = (path: string): Database => database.over(openDatabase(path));
  const daemon = await startDaemonIn({ ...systemOutside(), openDatabase: openUnreadable }, options);
  await daemon.stop("test");
  expect(existsSync(join(options.dataDir, "daemon.json"))).toBe(false);
});

/** A database in which one thing cannot be read, or written. */
class UnreadableDatabase {
  isReadable = false;
  readonly #sql: string;

  constructor(sql: string) {
    this.#sql = sql;
  }

  over(database: Database): Database {
    return {
      exec: (sql) => database.exec(sql),
      close: () => database.close(),
      prepare: (sql) => {
        const statement = database.prepare(sql);
        return sql.startsWith(this.#sql) ? this.#statementOver(statement) : statement;
      },
    };
  }

  #statementOver(statement: Statement): Statement {
    const ifReadable = <T>(work: () => T): T => {
      if (this.isReadable) return work();
      throw Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_READ" });
    };
    return {
      all: (...values) => ifReadable(() => statement.all(...values)),
      get: (...values) => ifReadable(() => statement.get(...values)),
      run: (...values) => ifReadable(() => statement.run(...values)),
    };
  }
}
