import { isoTime } from "../core/clock.ts";
import { Releasers } from "../core/releasers.ts";
import { Activity } from "../http/activity.ts";
import { EventStreams } from "../http/event-stream.ts";
import { MessageEnds } from "../http/message-ends.ts";
import { Metrics } from "../http/metrics.ts";
import type { DaemonInfo, Services } from "../http/services.ts";
import { loadPage } from "#platform";
import { AcceptedSettings } from "../settings/accepted.ts";
import type { InForce } from "../settings/in-force.ts";
import { SettingsKeeper } from "../settings/settings.ts";
import type { DrainReason } from "../sessions/registry.ts";
import type { PathWatchers } from "../watch/path-watchers.ts";
import { SharedWatchers } from "../watch/shared-watchers.ts";
import { type Core, applySettings, buildCore } from "./core.ts";
import { EventLog } from "./event-log.ts";
import { type DaemonOptions, type Foundation, layFoundation } from "./foundation.ts";
import { Front } from "./front.ts";
import { removeInstance, writeInstance } from "./instance.ts";
import { type Outside, systemOutside } from "./outside.ts";
import { Opening } from "./opening.ts";
import { type LastRestart, Restarts } from "./restart.ts";
import { Retention } from "./retention.ts";
import { findServiceManager, type ServiceManager } from "./service-manager.ts";
import { logIgnored, watchSettings } from "./settings-watch.ts";
import { Upgrades, giveUp } from "./upgrade.ts";

export type { DaemonOptions };

/** A daemon that serves. */
export interface RunningDaemon {
  readonly url: string;
  /** Null where the path of the data folder is too long for a socket. */
  readonly socket: string | null;
  /**
   * Drains within `daemon.graceMs` and stops; may be called again. `reason` is told in events, and messages of turns
   * that are aborted are put back for `putBackFor`, by default "drain".
   */
  stop(reason: string, putBackFor?: DrainReason): Promise<void>;
  /** Drains and starts anew in this process; resolves when it serves again. */
  restart(cause?: "request" | "upgrade"): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
  /** Reads the settings file now. */
  reload(): Promise<void>;
}

/**
 * Starts a daemon on a data folder. Throws `settings_invalid`, `already_running`, `cannot_listen` or `storage`, and
 * has then left nothing behind. One that took the place of another does not throw before it serves: it gives up, and
 * the program before takes the place again.
 */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  // Whatever this process makes is for its user alone.
  process.umask(0o077);
  return startDaemonIn(systemOutside(), options);
}

/** Starts a daemon as `startDaemon` does, in the world that is handed in. */
export async function startDaemonIn(outside: Outside, options: DaemonOptions): Promise<RunningDaemon> {
  const releasers = new Releasers();
  let daemon: Daemon | undefined;
  try {
    const foundation = await layFoundation(options, outside, releasers);
    daemon = new Daemon(options, outside, releasers, foundation);
    await daemon.start();
    return daemon;
  } catch (thrown) {
    await releasers.release();
    if (!daemon?.hasServed) await giveUp(options, outside.env, thrown);
    throw thrown;
  }
}

/**
 * The whole, and the only part that knows everybody. Foundation, settings and the ways in last as long as the daemon;
 * the core, which takes the turns, is drained and replaced by a restart (design: "The way of a restart").
 */
class Daemon implements RunningDaemon {
  readonly #options: DaemonOptions;
  readonly #outside: Outside;
  readonly #releasers: Releasers;
  readonly #foundation: Foundation;
  readonly #startedAt: number;
  readonly #keeper: SettingsKeeper;
  readonly #watchers: PathWatchers;
  readonly #ends = new MessageEnds();
  readonly #metrics = new Metrics();
  readonly #activity: Activity;
  readonly #streams: EventStreams;
  readonly #front: Front;
  readonly #restarts: Restarts;
  readonly #whenStopped = Promise.withResolvers<void>();
  #core: Core | undefined;
  #phase: DaemonInfo["phase"] = "starting";
  #isStopping = false;
  #socket: string | null = null;
  #manager: ServiceManager | undefined;

  constructor(options: DaemonOptions, outside: Outside, releasers: Releasers, foundation: Foundation) {
    this.#options = options;
    this.#outside = outside;
    this.#releasers = releasers;
    this.#foundation = foundation;
    const { clock, random, env, files, exchange, watchFolder, listen, holderOfPort } = outside;
    const { store, bus, log, secrets, tell, onFault, folder } = foundation;
    this.#startedAt = clock.now();
    this.#keeper = new SettingsKeeper({
      path: options.settingsPath,
      accepted: new AcceptedSettings(folder.accepted, files),
      env,
      flags: options.flags,
      exchange,
      files,
      clock,
      store,
      learnSecrets: (values) => secrets.learn(values),
      countAffected: (settings) =>
        this.#core?.registry.countAffected(settings) ?? { now: 0, atBoundary: 0, unaffected: 0 },
      onChange: (inForce) => this.#settingsChanged(inForce),
      onLooked: () => this.#watchers.watch(this.#keeper.files),
      tell,
      onFault,
    });
    this.#watchers = watchSettings({
      keeper: this.#keeper,
      shared: new SharedWatchers({ clock, random, watchFolder, files }),
      clock,
      log,
    });
    this.#streams = new EventStreams({ store, bus, clock });
    this.#activity = new Activity({ clock, totals: () => store.totals() });
    this.#front = new Front({ listen, holderOfPort, files, clock, services: this.#services() });
    this.#restarts = this.#createRestarts();
    releasers.add(() => this.#streams.close());
    releasers.add(bus.subscribe(this.#ends));
    releasers.add(bus.subscribe(this.#metrics));
    releasers.add(bus.subscribe(this.#activity));
    releasers.add(() => this.#activity.close());
  }

  get url(): string {
    return this.#front.url;
  }

  get socket(): string | null {
    return this.#socket;
  }

  /** Whether it has answered anybody. */
  get hasServed(): boolean {
    return this.#phase !== "starting";
  }

  get stopped(): Promise<void> {
    return this.#whenStopped.promise;
  }

  async reload(): Promise<void> {
    const isServing = (): boolean => this.#phase === "serving";
    if (isServing()) this.#manager?.reloading("settings");
    try {
      await this.#keeper.look("signal");
    } finally {
      // A restart that came of it says itself when it is over.
      if (isServing()) this.#manager?.ready(this.url);
    }
  }

  /** Settings, then interrupted messages, then the ways in; from then on it serves. */
  async start(): Promise<void> {
    const { store, log, followLevel, folder, hold } = this.#foundation;
    const { settingsPath, isStrict, handover } = this.#options;
    await this.#keeper.start(isStrict, handover !== undefined);
    followLevel(() => this.#keeper.inForce.settings.log.level);
    store.setDurability(this.#keeper.inForce.settings.storage.durability);
    const core = await buildCore(this.#foundation, this.#keeper, this.#outside);
    this.#core = core;
    const opening = new Opening({
      foundation: this.#foundation,
      front: this.#front,
      clock: this.#outside.clock,
      handover,
    });
    const { turn, server } = this.#keeper.inForce.settings;
    const last = await opening.takeUp(core.boot, turn.maxAttempts);
    this.#releasers.add(() => this.#front.close());
    this.#socket = await opening.open({ host: server.host, port: server.port }, () => {
      this.#phase = "serving";
    });
    this.#releasers.add(() => (hold.isPassedOn ? undefined : removeInstance(folder)));
    await this.#begin(core, opening, last);
    this.#releasers.add(() => this.#watchers.stop());
    this.#watchers.watch(this.#keeper.files);
    this.#keepInBounds();
    for (const { path, message } of this.#keeper.problems)
      log.warn(`${settingsPath} is not in force: ${path} ${message}`);
    logIgnored(this.#keeper, log);
    log.info("serving", { url: this.url, revision: this.#keeper.inForce.revision });
    this.#manager = await findServiceManager(this.#outside, process.pid, log);
    // Its watchdog goes on while a store is migrated, until the process is another program's.
    this.#releasers.add(() => (hold.isPassedOn ? undefined : this.#manager?.close()));
    this.#manager?.ready(this.url);
    // What the program before could not put in force this one tries again.
    this.#restarts.follow();
  }

  async stop(reason: string, putBackFor: DrainReason = "drain"): Promise<void> {
    if (!this.#isStopping) {
      this.#isStopping = true;
      this.#takeApart(reason, putBackFor).then(this.#whenStopped.resolve, this.#whenStopped.reject);
    }
    await this.stopped;
  }

  async restart(cause: "request" | "upgrade" = "request"): Promise<void> {
    await this.#restarts.ask(cause);
  }

  /** Deletes what is older than it is to be kept, for as long as the daemon runs. */
  #keepInBounds(): void {
    const { store, onFault } = this.#foundation;
    const retention = new Retention({
      store,
      clock: this.#outside.clock,
      random: this.#outside.random,
      keep: () => this.#keeper.inForce.settings.storage,
      registry: () => this.#present().registry,
      onFault,
    });
    this.#releasers.add(() => retention.stop());
    retention.start();
  }

  /** Says that it serves, and takes up the work; `last` is the upgrade it came with. */
  async #begin({ boot, registry }: Core, opening: Opening, last: LastRestart | undefined): Promise<void> {
    const { tell, onFault } = this.#foundation;
    if (last) this.#restarts.begunWith(last);
    // 1. A program that took another's place goes on without what fails: it is answering already.
    await this.#writeInstance().catch((thrown: unknown) => {
      if (!last) throw thrown;
      onFault(thrown);
    });
    tell(opening.events({ instanceId: boot, version: this.#options.version }, last));
    this.#logEvents();
    await registry.start(last?.sessions.map(({ id }) => id) ?? []);
  }

  #settingsChanged({ settings }: InForce): void {
    this.#foundation.store.setDurability(settings.storage.durability);
    if (!this.#core) return;
    logIgnored(this.#keeper, this.#foundation.log);
    applySettings(this.#core, settings);
    this.#watchers.poll();
    this.#restarts.follow();
  }

  #createRestarts(): Restarts {
    return new Restarts({
      foundation: this.#foundation,
      clock: this.#outside.clock,
      front: this.#front,
      streams: this.#streams,
      ends: this.#ends,
      settings: () => this.#keeper.inForce.settings,
      core: () => this.#present(),
      buildCore: () => buildCore(this.#foundation, this.#keeper, this.#outside),
      drainBegins: (reason, graceMs) => this.#drainBegins(reason, graceMs),
      swap: (core) => {
        this.#core = core;
        this.#phase = "serving";
        this.#manager?.ready(this.url);
      },
      announce: () => this.#writeInstance(),
      upgrade: (stopping) => this.#upgrade(stopping),
    });
  }

  #logEvents(): void {
    const { log, bus } = this.#foundation;
    const eventLog = new EventLog({
      log,
      generatorOf: (id) => {
        const session = this.#present().registry.find(id);
        return session && { generator: session.generatorId, revision: session.bindingRevision };
      },
    });
    this.#releasers.add(bus.subscribe(eventLog));
  }

  /** Where no program can go on in this process, the daemon is over. */
  async #upgrade(stopping: AbortSignal): Promise<void> {
    const upgrades = new Upgrades({
      foundation: this.#foundation,
      clock: this.#outside.clock,
      env: this.#outside.env,
      program: this.#options.program,
      front: this.#front,
      streams: this.#streams,
      ends: this.#ends,
      settings: () => this.#keeper.inForce.settings,
      core: () => this.#present(),
      drainBegins: (reason, graceMs) => this.#drainBegins(reason, graceMs),
      letGo: () => this.#letGo(),
    });
    try {
      await upgrades.run(stopping);
    } catch (thrown) {
      this.#whenStopped.reject(thrown);
    }
  }

  /** Ends everything but that the data folder is held. */
  async #letGo(): Promise<void> {
    const { pending, hold } = this.#foundation;
    hold.isPassedOn = true;
    this.#watchers.stop();
    await this.#keeper.stop();
    await pending.settled();
    await this.#releasers.release();
  }

  #drainBegins(reason: string, graceMs: number): void {
    const { tell, log } = this.#foundation;
    const { gate } = this.#present();
    const inFlight = gate.totalInFlight();
    this.#phase = "draining";
    if (this.#isStopping) this.#manager?.stopping(reason, graceMs);
    else this.#manager?.reloading(reason);
    tell([{ type: "daemon.draining", data: { reason, graceMs, inFlight } }]);
    log.info("draining", { reason, graceMs, inFlight });
    gate.close();
  }

  async #takeApart(reason: string, putBackFor: DrainReason): Promise<void> {
    const { tell, pending, log } = this.#foundation;
    if (this.#foundation.hold.isPassedOn) return this.#endUpgrade(reason);
    const { graceMs } = this.#keeper.inForce.settings.daemon;
    const deadline = this.#outside.clock.now() + graceMs;
    this.#drainBegins(reason, graceMs);
    this.#watchers.stop();
    // 1. A restart under way goes no further than its drain; an upgrade may have gone too far to come back.
    await this.#restarts.stop();
    if (this.#foundation.hold.isPassedOn) return this.#endUpgrade(reason);
    await this.#keeper.stop();
    const { aborted } = await this.#present().registry.drain(deadline, putBackFor);
    tell([{ type: "daemon.stopping", data: { reason } }]);
    await pending.settled();
    this.#ends.close();
    this.#streams.endAll();
    log.info("stopped", { reason, aborted });
    await this.#releasers.release();
  }

  /** It was about to give its place to another program: all else has ended, and that is not begun any more. */
  async #endUpgrade(reason: string): Promise<void> {
    this.#manager?.stopping(reason, 0);
    await this.#restarts.stop();
    const { hold, folder } = this.#foundation;
    await removeInstance(folder);
    hold.isPassedOn = false;
    hold.end();
    this.#manager?.close();
  }

  #present(): Core {
    if (!this.#core) throw new Error("the daemon was asked before it had started");
    return this.#core;
  }

  #writeInstance(): Promise<void> {
    return writeInstance(this.#foundation.folder, {
      pid: process.pid,
      url: this.url,
      socket: this.#socket,
      instanceId: this.#present().boot,
      version: this.#options.version,
      startedAt: isoTime(this.#startedAt),
    });
  }

  #services(): Services {
    const { store, onFault } = this.#foundation;
    const { clock, ids } = this.#outside;
    return {
      clock,
      ids,
      store,
      onFault,
      core: () => this.#present(),
      streams: this.#streams,
      ends: this.#ends,
      metrics: this.#metrics,
      activity: this.#activity,
      daemon: () => this.#info(),
      page: loadPage,
      settings: {
        inForce: () => this.#keeper.inForce,
        problems: () => this.#keeper.problems,
        watching: () => this.#watchers.mode,
        shownFile: () => this.#keeper.shownFile(),
        notInForce: () => this.#restarts.notInForce(),
        look: () => this.#keeper.look("file"),
        waiting: () => this.#keeper.waiting,
        apply: () => this.#keeper.apply(),
        edit: (edit, options) => this.#keeper.edit(edit, options),
      },
      stop: () => {
        this.stop("request").catch(onFault);
      },
      restart: (cause) => {
        this.restart(cause).catch(onFault);
      },
    };
  }

  #info(): DaemonInfo {
    return {
      instanceId: this.#core?.boot ?? "",
      pid: process.pid,
      version: this.#options.version,
      startedAt: this.#startedAt,
      phase: this.#phase,
      url: this.url,
      settingsPath: this.#options.settingsPath,
      dataDir: this.#foundation.folder.path,
      lastRestart: this.#restarts.last,
    };
  }
}
