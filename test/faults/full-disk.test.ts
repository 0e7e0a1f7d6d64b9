import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageAnswer } from "../e2e/answers.ts";
import { messagesOf } from "../e2e/conversations.ts";
import { daemonOf, instanceOf, restarted } from "../e2e/restarting.ts";
import { eventually } from "../support/eventually.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import { countEnds, readKilledStore } from "./killed-store.ts";
import { mountDisk, unmountDisks, whyNoMount, type SmallDisk } from "./small-disk.ts";

setDefaultTimeout(60_000);

const reason = whyNoMount();
if (reason !== undefined) console.log(`  a full disk is not tried: ${reason}`);

afterEach(unmountDisks);

/** A daemon whose data lie on a disk of its own; its turns write down that they ran, and end when they are told to. */
class DaemonOnDisk {
  readonly disk: SmallDisk = mountDisk(6 * 1024);
  readonly #folder = makeFolder("full");
  readonly reply = "a long reply ".repeat(2000);
  #segue: Segue | undefined;

  async start(graceMs = 60_000): Promise<Segue> {
    const program = `
      echo ran >> ${this.#calls}
      while [ ! -e ${this.#go} ]; do sleep 0.02; done
      cat ${this.#said}`;
    writeFileSync(this.#said, this.reply);
    this.#segue = await startSegue({
      dataDir: join(this.disk.path, "data"),
      settingsPath: join(this.#folder, "settings.json"),
      settings: {
        provider: "command",
        providers: { command: { argv: ["sh", "-c", program] } },
        daemon: { graceMs },
        reload: { debounceMs: 20 },
      },
    });
    return this.#segue;
  }

  /** Posts a message and waits until its turn runs. */
  async startTurn(): Promise<MessageAnswer> {
    const message = await this.segue.post<MessageAnswer>("/api/sessions/a/messages", { content: "one" });
    await eventually("the turn runs", () => this.calls === 1);
    return message;
  }

  /** Turns end from here on. */
  letTurnsEnd(): void {
    writeFileSync(this.#go, "");
  }

  /** How many turns were begun. */
  get calls(): number {
    return existsSync(this.#calls) ? readFileSync(this.#calls, "utf8").split("\n").length - 1 : 0;
  }

  get segue(): Segue {
    if (!this.#segue) throw new Error("it was not started");
    return this.#segue;
  }

  get #calls(): string {
    return join(this.#folder, "calls");
  }

  get #go(): string {
    return join(this.#folder, "go");
  }

  get #said(): string {
    return join(this.#folder, "said");
  }
}

async function codeOf(response: Response): Promise<[number, unknown]> {
  const body: { code?: unknown } = await response.json();
  return [response.status, body.code];
}

function post(segue: Segue, session: string, content: string): Promise<Response> {
  const init = { method: "POST", headers: { "Content-Type": "text/plain" }, body: content };
  return segue.request(`/api/sessions/${session}/messages`, init);
}

async function expectReady(segue: Segue): Promise<void> {
  await eventually("ready again", async () => (await segue.request("/readyz")).status === 200);
}

async function expectDone(segue: Segue, id: string): Promise<void> {
  const status = async (): Promise<string> => (await segue.get<MessageAnswer>(`/api/messages/${id}`)).status;
  await eventually(`${id} is done`, async () => (await status()) === "done");
}

describe.skipIf(reason !== undefined)("a full disk", () => {
  test("refuses posts and starts no turn; reads go on; when there is room, so does everything by itself", async () => {
    const on = new DaemonOnDisk();
    const segue = await on.start();
    const running = await on.startTurn();
    const queued: MessageAnswer = await (await post(segue, "a", "queued")).json();
    on.disk.fill();

    for (const session of ["a", "new"])
      expect(await codeOf(await post(segue, session, "x".repeat(9000)))).toEqual([507, "storage_full"]);
    expect(await codeOf(await segue.request("/readyz"))).toEqual([503, "storage"]);
    expect((await segue.request("/healthz")).status).toBe(200);
    expect((await messagesOf(segue, "a")).map(({ status }) => status)).toEqual(["running", "pending"]);
    expect((await segue.request("/api/sessions/new")).status).toBe(404);

    // The reply is there and cannot be stored; what waits does not start.
    on.letTurnsEnd();
    await eventually("the reply waits", () => segue.process.output.includes("no room"));
    for (let look = 0; look < 3; look++) {
      expect(await codeOf(await post(segue, "a", "again"))).toEqual([507, "storage_full"]);
      expect((await messagesOf(segue, "a")).map(({ status }) => status)).toEqual(["running", "pending"]);
    }
    expect(on.calls).toBe(1);

    on.disk.free();
    await expectReady(segue);
    for (const { id } of [running, queued]) await expectDone(segue, id);
    expect(on.calls).toBe(2);
    expect(await segue.get(`/api/messages/${running.id}`)).toMatchObject({ reply: on.reply, attempts: 1 });
    const late: MessageAnswer = await (await post(segue, "new", "late")).json();
    await expectDone(segue, late.id);
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
    const ends = countEnds(segue.dataDir);
    expect(ends).toEqual(new Map([running, queued, late].map(({ id }) => [id, 1])));
  });

  test("keeps what was accepted over a kill, and says why it cannot start until there is room", async () => {
    const on = new DaemonOnDisk();
    const segue = await on.start();
    const running = await on.startTurn();
    const accepted: string[] = [];
    for (let count = 0; count < 5; count++) {
      const message: MessageAnswer = await (await post(segue, "b", "x".repeat(100_000))).json();
      accepted.push(message.id);
    }
    on.disk.fill();
    expect(await codeOf(await post(segue, "b", "x".repeat(100_000)))).toEqual([507, "storage_full"]);
    await segue.kill();
    const stored = readKilledStore(segue.dataDir, makeFolder("copy"));
    expect(stored.integrity).toBe("ok");
    expect([...stored.statuses.keys()].toSorted()).toEqual([running.id, ...accepted].toSorted());
    const refused = await segue.restart().catch((thrown: Error) => thrown.message);
    expect(refused).toMatch(/"exitCode":1/);
    expect(refused).toMatch(/^segue: .*(no room|space).*/m);
    expect(refused).not.toMatch(/^\s+at /m);
    on.disk.free();
    on.letTurnsEnd();
    const again = await segue.restart();
    for (const id of [running.id, ...accepted]) await expectDone(again, id);
    await again.stop();
  });

  test("an edit that cannot be kept is told as a problem, and in force once there is room", async () => {
    const on = new DaemonOnDisk();
    const segue = await on.start();
    on.disk.fill();
    writeFileSync(segue.settingsPath, JSON.stringify({ provider: "echo", note: undefined }));
    const status = (): Promise<{ revision: number; problems: { message: string }[] }> =>
      segue.get("/api/settings/status");
    const problem = await eventually("told", async () => (await status()).problems[0]);
    expect(problem.message).toContain("cannot be put in force");
    expect((await status()).revision).toBe(1);
    on.disk.free();
    await eventually("in force", async () => (await status()).revision === 2);
    expect((await status()).problems).toEqual([]);
    await segue.stop();
  });

  test("a restart waits for room, and the message of an aborted turn is taken once more", async () => {
    const on = new DaemonOnDisk();
    const segue = await on.start(200);
    const running = await on.startTurn();
    const before = instanceOf(segue);
    on.disk.fill();
    await segue.post("/api/daemon/restart");
    await eventually("it waits for the store", () => segue.process.output.includes("waits for the store"));
    expect(await daemonOf(segue)).toMatchObject({ phase: "draining", instanceId: before.instanceId });
    expect(await segue.get(`/api/messages/${running.id}`)).toMatchObject({ status: "running" });
    on.disk.free();
    on.letTurnsEnd();
    await restarted(segue, before);
    await expectDone(segue, running.id);
    expect(on.calls).toBe(2);
    await expectReady(segue);
    await segue.stop();
    expect(countEnds(segue.dataDir)).toEqual(new Map([[running.id, 1]]));
  });

  test("does not keep the daemon from stopping", async () => {
    const on = new DaemonOnDisk();
    const segue = await on.start(100);
    const running = await on.startTurn();
    on.disk.fill();
    on.letTurnsEnd();
    await eventually("the reply waits", () => segue.process.output.includes("no room"));
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
    on.disk.free();
    const again = await segue.restart();
    await expectDone(again, running.id);
    await again.stop();
  });
});
