import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EventBus } from "../../src/core/events.ts";
import { createIds } from "../../src/core/ids.ts";
import { Releasers } from "../../src/core/releasers.ts";
import { applySettings, buildCore, type Core } from "../../src/daemon/core.ts";
import { Hold, type Foundation } from "../../src/daemon/foundation.ts";
import { Front } from "../../src/daemon/front.ts";
import { dataFolder } from "../../src/daemon/instance.ts";
import { type Outside, systemOutside } from "../../src/daemon/outside.ts";
import { Pending } from "../../src/daemon/pending.ts";
import { Restarts } from "../../src/daemon/restart.ts";
import { createApp } from "../../src/http/app.ts";
import { Activity } from "../../src/http/activity.ts";
import { EventStreams } from "../../src/http/event-stream.ts";
import { MessageEnds } from "../../src/http/message-ends.ts";
import { Metrics } from "../../src/http/metrics.ts";
import type { DaemonInfo, Services } from "../../src/http/services.ts";
import { loadPage, openDatabase } from "../../src/platform/bun.ts";
import type { Database } from "../../src/platform/platform.ts";
// Loaded beforehand: the first turn of a process loads its provider's code, and no manual clock waits for a disk.
import "../../src/providers/echo.ts";
import { AcceptedSettings } from "../../src/settings/accepted.ts";
import { Secrets } from "../../src/settings/secrets.ts";
import { SettingsKeeper } from "../../src/settings/settings.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeFolder } from "../support/workspace.ts";
import { type Asked, authority, requestOf, type ShownMessage } from "./asking.ts";

const running = new Set<DaemonApp>();

/** Stops every app a test started; to be called after each. */
export async function stopApps(): Promise<void> {
  for (const app of running) await app.stop();
  running.clear();
}

/**
 * The HTTP interface over real parts: store on disk, settings file (null: none), registry, gate and providers; time is
 * the test's.
 */
export async function startApp(settings: Record<string, unknown> | null = {}): Promise<DaemonApp> {
  const folder = makeFolder("http");
  const settingsPath = join(folder, "settings.json");
  if (settings) writeFileSync(settingsPath, JSON.stringify(settings));
  mkdirSync(join(folder, "data"));
  const app = new DaemonApp(settingsPath, join(folder, "data"));
  running.add(app);
  await app.start();
  return app;
}

/** A daemon's HTTP interface without its listeners. */
export class DaemonApp {
  readonly clock = new ManualClock();
  readonly settingsPath: string;
  /** What the daemon is said to be at. */
  phase: DaemonInfo["phase"] = "serving";
  /** What was asked of the daemon itself. */
  readonly orders: ("stop" | "restart")[] = [];
  /** Faults that would be bugs. */
  readonly faults: unknown[] = [];
  readonly services: Services;
  readonly #outside: Outside;
  readonly #database: Database;
  readonly #foundation: Foundation;
  readonly #keeper: SettingsKeeper;
  readonly #tcp: ReturnType<typeof createApp>;
  readonly #socket: ReturnType<typeof createApp>;
  readonly #metrics = new Metrics();
  readonly #activity: Activity;
  readonly #releasers = new Releasers();
  #core: Core | undefined;

  constructor(settingsPath: string, dataDir: string) {
    this.settingsPath = settingsPath;
    const { clock } = this;
    const ids = createIds(() => clock.now());
    this.#outside = { ...systemOutside(), clock, random: () => 0.5, ids, env: {} };
    this.#database = openDatabase(join(dataDir, "segue.db"));
    this.#foundation = this.#layFoundation(dataDir);
    const { store, bus, secrets, folder, tell, onFault } = this.#foundation;
    this.#keeper = new SettingsKeeper({
      path: settingsPath,
      accepted: new AcceptedSettings(folder.accepted),
      env: {},
      flags: [],
      clock,
      store,
      learnSecrets: (values) => secrets.learn(values),
      countAffected: (settings) =>
        this.#core?.registry.countAffected(settings) ?? { now: 0, atBoundary: 0, unaffected: 0 },
      onChange: ({ settings }) => {
        if (this.#core) applySettings(this.#core, settings);
      },
      onLooked: () => {},
      tell,
      onFault,
    });
    const ends = new MessageEnds();
    const streams = new EventStreams({ store, bus, clock });
    this.#releasers.add(() => store.close());
    this.#releasers.add(bus.subscribe(ends));
    this.#releasers.add(bus.subscribe(this.#metrics));
    this.#activity = new Activity({ clock, totals: () => store.totals() });
    this.#releasers.add(bus.subscribe(this.#activity));
    this.#releasers.add(() => this.#activity.close());
    this.#releasers.add(() => streams.close());
    this.#releasers.add(() => ends.close());
    this.services = this.#servicesWith(streams, ends);
    this.#tcp = createApp(this.services, "tcp");
    this.#socket = createApp(this.services, "socket");
  }

  get core(): Core {
    if (!this.#core) throw new Error("the app was asked before it had started");
    return this.#core;
  }

  /** Puts the settings in force and what was interrupted back; sessions go to work. */
  async start(): Promise<void> {
    await this.#keeper.start(true);
    this.#core = await buildCore(this.#foundation, this.#keeper, this.#outside);
    await this.#core.registry.start([]);
  }

  /** Leaves the store no room for more than a few pages; the answer gives it all it wants. */
  fillDisk(): () => void {
    const pages = Number(this.#database.prepare("PRAGMA page_count").get()?.["page_count"]);
    this.#database.exec(`PRAGMA max_page_count = ${pages + 8}`);
    return () => this.#database.exec("PRAGMA max_page_count = 1000000");
  }

  /** Forgets the stored events up to an id, as their time would. */
  forgetEvents(upTo: number): void {
    this.#database.prepare("DELETE FROM events WHERE id <= ?").run(upTo);
  }

  /** A request over TCP from this machine; GET, or POST where there is something to send. */
  async ask(path: string, asked: Asked = {}): Promise<Response> {
    return this.#tcp.fetch(requestOf(path, asked));
  }

  /** The same over the socket. */
  async askOnSocket(path: string, asked: Asked = {}): Promise<Response> {
    return this.#socket.fetch(requestOf(path, asked));
  }

  /** The JSON of an answer that has to be 2xx. */
  async json<T = Record<string, unknown>>(path: string, asked: Asked = {}): Promise<T> {
    const response = await this.ask(path, asked);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** Posts a message that has to be accepted. */
  async post(session: string, content: string, headers: Record<string, string> = {}): Promise<ShownMessage> {
    return this.json(`/api/sessions/${session}/messages`, { json: { content }, headers });
  }

  /** Posts a message and waits for its end. */
  async done(session: string, content: string): Promise<ShownMessage> {
    return this.post(session, content, { Prefer: "wait=300" });
  }

  /** Writes the settings file, as text or as JSON, and has it read. */
  async edit(settings: Record<string, unknown> | string): Promise<void> {
    writeFileSync(this.settingsPath, typeof settings === "string" ? settings : JSON.stringify(settings));
    await this.#keeper.look("file");
  }

  /** Restarts in process as the daemon does; `afterSwap` runs between the swap and what is told of it. */
  async restart(afterSwap: () => Promise<void>): Promise<void> {
    const { clock } = this;
    const { streams, ends } = this.services;
    const settings = () => this.#keeper.inForce.settings;
    const front = new Front({
      listen: () => ({ port: settings().server.port, stop: async () => {} }),
      clock,
      services: this.services,
    });
    await front.open(settings().server);
    await new Restarts({
      foundation: this.#foundation,
      clock,
      front,
      streams,
      ends,
      settings,
      core: () => this.core,
      buildCore: () => buildCore(this.#foundation, this.#keeper, this.#outside),
      drainBegins: () => this.core.gate.close(),
      swap: (core) => {
        this.#core = core;
      },
      announce: afterSwap,
      upgrade: async () => {},
    }).ask("request");
  }

  /** Resolves when `isSo` answers true: for what a process or a connection brings about. */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    await eventually("what the test waits for", isSo);
  }

  /** Stops; throws where something was a bug, or a timer is left. */
  async stop(): Promise<void> {
    if (!running.delete(this)) return;
    this.#core?.gate.close();
    await this.#keeper.stop();
    const drained = this.#core?.registry.drain(this.clock.now());
    await this.clock.advance(0);
    await drained;
    await this.#foundation.pending.settled();
    await this.#releasers.release();
    if (this.faults.length > 0) throw this.faults[0];
    // What may still run out by itself: the time an aborted call has to let go.
    await this.clock.advance(10_000);
    if (this.clock.waiting > 0) throw new Error(`${this.clock.waiting} timers are left`);
  }

  #layFoundation(dataDir: string): Foundation {
    const { clock } = this;
    const onFault = (thrown: unknown): void => void this.faults.push(thrown);
    const bus = new EventBus(onFault);
    const pending = new Pending(onFault);
    const store = openSqliteStore({
      open: () => this.#database,
      clock,
      publish: (events) => bus.publish(events),
      backupPath: (version) => join(dataDir, `segue.db.${version}`),
    });
    const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: (text: string) => onFault(text) };
    return {
      folder: dataFolder(dataDir),
      hold: new Hold(() => {}, false),
      wasCrashed: false,
      store,
      bus,
      secrets: new Secrets(),
      log: quiet,
      followLevel: () => {},
      pending,
      tell: (events) => pending.keep(store.events.append(events, clock.now())),
      onFault,
    };
  }

  #servicesWith(streams: EventStreams, ends: MessageEnds): Services {
    const { clock } = this;
    const startedAt = clock.now();
    return {
      clock,
      ids: this.#outside.ids,
      store: this.#foundation.store,
      core: () => this.core,
      streams,
      ends,
      metrics: this.#metrics,
      activity: this.#activity,
      daemon: () => ({
        instanceId: this.core.boot,
        pid: process.pid,
        version: "0.0.0-test",
        startedAt,
        phase: this.phase,
        url: `http://${authority}`,
        settingsPath: this.settingsPath,
        dataDir: this.#foundation.folder.path,
        lastRestart: null,
      }),
      page: loadPage,
      settings: {
        inForce: () => this.#keeper.inForce,
        problems: () => this.#keeper.problems,
        watching: () => "native",
        shownFile: () => this.#keeper.shownFile(),
        notInForce: () => [],
        look: () => this.#keeper.look("file"),
        waiting: () => this.#keeper.waiting,
        apply: () => this.#keeper.apply(),
        edit: (edit, options) => this.#keeper.edit(edit, options),
      },
      stop: () => void this.orders.push("stop"),
      restart: () => void this.orders.push("restart"),
      onFault: this.#foundation.onFault,
    };
  }
}
