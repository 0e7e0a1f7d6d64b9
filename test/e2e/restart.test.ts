import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { version as ownVersion } from "../../package.json";
import { ensureBinary } from "../support/binary.ts";
import { freePort } from "../support/ports.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { buildVariant, installProgram } from "../support/variant.ts";
import { makeFolder } from "../support/workspace.ts";
import { messagesOf } from "./conversations.ts";
import { askOnce } from "./http-connection.ts";
import { daemonOf, instanceOf, moved, portOf, restarted } from "./restarting.ts";
import { type ResumingReader, type SteadyPoster, Traffic } from "./restart-traffic.ts";
import { saveSettings } from "./settings-file.ts";

/** How many restarts; the whole proof takes 50. */
const times = Number(process.env["SEGUE_RESTARTS"] ?? 8);
setDefaultTimeout(60_000 + times * 5000);

const graceMs = 1500;

function settings(port: number): object {
  return {
    server: { port },
    daemon: { graceMs },
    reload: { debounceMs: 20 },
    limits: { turnsPerProvider: 20 },
    providers: { echo: { delayMs: 12 } },
  };
}

const ways = ["configuration", "request", "signal", "upgrade"] as const;
type Way = (typeof ways)[number];

/** The program that the daemon was started as, and the builds that take each other's place there. */
class Installed {
  readonly path: string;
  readonly #builds: readonly Build[];
  #at = 0;

  constructor(path: string, builds: readonly Build[]) {
    this.path = path;
    this.#builds = builds;
    installProgram(this.present.program, path);
  }

  /** The program as it was built, and one built anew. */
  static async builds(): Promise<Installed> {
    const version = "99.0.1";
    return new Installed(join(makeFolder("installed"), "segue"), [
      { version: ownVersion, program: await ensureBinary() },
      { version, program: await buildVariant({ version }) },
    ]);
  }

  get present(): Build {
    const present = this.#builds[this.#at % this.#builds.length];
    if (!present) throw new Error("there is no build");
    return present;
  }

  /** Puts the other build in its place. */
  replace(): void {
    this.#at += 1;
    installProgram(this.present.program, this.path);
  }
}

interface Build {
  version: string;
  /** Path of the executable. */
  program: string;
}

async function ask(segue: Segue, way: Way, port: number, installed: Installed): Promise<void> {
  if (way === "configuration")
    return saveSettings(segue.settingsPath, settings(await freePort()), "replaced by a rename");
  if (way === "signal") return segue.process.signal("SIGUSR2");
  if (way === "upgrade") installed.replace();
  const body = way === "upgrade" ? '{"upgrade":true}' : "{}";
  const answer = await askOnce(port, { method: "POST", path: "/api/daemon/restart", body });
  expect(answer.status).toBe(202);
}

test(`${times} restarts under load lose, double and misplace nothing, and refuse no request`, async () => {
  const installed = await Installed.builds();
  const program = [installed.path];
  const segue = await startSegue({ settings: settings(await freePort()), port: "settings", program });
  const traffic = new Traffic(() => portOf(segue));
  const instances = [instanceOf(segue).instanceId];
  for (let restart = 0; restart < times; restart++) {
    await traffic.flows();
    instances.push(await restartOnce(segue, ways[restart % ways.length] ?? "request", installed));
    expect(traffic.failures()).toEqual([]);
  }
  await traffic.ends();
  expect(traffic.failures()).toEqual([]);
  for (const poster of traffic.posters) await expectKept(moved(segue), poster);
  await traffic.stop();
  expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });

  expect(new Set(instances).size).toBe(times + 1);
  const { all, ofOne } = traffic;
  expectAllReadOnce(segue, all, () => true);
  expectAllReadOnce(segue, ofOne, ({ session }) => session === "kept-one");
  expect(all.ends).toBeGreaterThanOrEqual(times);
  const told = all.events.filter(({ type }) => type === "daemon.restarted");
  expect(told).toHaveLength(times);
  const longest = Math.max(...told.map(({ data }) => Number(data["downtimeMs"])));
  console.log(`  ${times} restarts, ${traffic.total} messages, the longest without turns ${longest} ms`);
});

/** Restarts in one of the ways, and looks at how the daemon shows itself afterwards; answers its new id. */
async function restartOnce(segue: Segue, way: Way, installed: Installed): Promise<string> {
  const [old, oldPort] = [instanceOf(segue), portOf(segue)];
  await ask(segue, way, oldPort, installed);
  const now = instanceOf(await restarted(segue, old));
  const daemon = await daemonOf(segue);
  expect(daemon).toMatchObject({
    instanceId: now.instanceId,
    url: now.url,
    pid: segue.process.pid,
    version: installed.present.version,
    phase: "serving",
    lastRestart: { reason: way === "signal" ? "request" : way, timedOut: 0, requeued: 0 },
  });
  const subscribers = daemon.lastRestart?.sessions.find(({ id }) => id === "kept-one")?.subscribers;
  expect(subscribers).toBe(1);
  expect(portOf(segue) === oldPort).toBe(way !== "configuration");
  const onOld = await askOnce(oldPort, { path: "/api/daemon" });
  expect({ status: onOld.status, url: JSON.parse(onOld.body).url }).toEqual({ status: 200, url: now.url });
  expect(onOld.headers.get("connection") ?? "kept").toBe(way === "configuration" ? "close" : "kept");
  expect(await askOnce(portOf(segue), { path: "/readyz" })).toMatchObject({ status: 200 });
  return now.instanceId;
}

/** What was posted stands in its order, under rising numbers, each answered once. */
async function expectKept(segue: Segue, { session, accepted, contentOf }: SteadyPoster): Promise<void> {
  const messages = await messagesOf(segue, session);
  expect(messages.map(({ id }) => id)).toEqual(accepted);
  for (const [at, { seq, status, content, reply, error, attempts }] of messages.entries())
    expect({ seq, status, content, reply, error, attempts }).toEqual({
      seq: at + 1,
      status: "done",
      content: contentOf(at),
      reply: contentOf(at),
      error: null,
      attempts: 1,
    });
}

interface EventRow {
  id: number;
  session: string | null;
}

/** What the reader has are the stored events, in order, each once, up to where it stopped. */
function expectAllReadOnce(segue: Segue, reader: ResumingReader, isWanted: (row: EventRow) => boolean): void {
  const database = new Database(join(segue.dataDir, "segue.db"), { readonly: true });
  const rows = database.query<EventRow, []>("SELECT id, session FROM events ORDER BY id").all();
  database.close(true);
  const read = reader.events.map(({ id }) => id);
  const stored = rows.filter(isWanted).map(({ id }) => id);
  expect(read.length).toBeGreaterThan(100);
  expect(read).toEqual(stored.slice(0, read.length));
}
