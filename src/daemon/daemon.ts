import { isoTime, systemClock } from "../core/clock.ts";
import { SegueError, errorText } from "../core/errors.ts";
import { createIds, systemRandom } from "../core/ids.ts";
import { Releasers } from "../core/releasers.ts";
import { EventStreams } from "../http/event-stream.ts";
import { MessageEnds } from "../http/message-ends.ts";
import type { DaemonInfo, Services } from "../http/services.ts";
import { listen } from "../platform/bun.ts";
import { AcceptedSettings } from "../settings/accepted.ts";
import type { InForce } from "../settings/in-force.ts";
import { SettingsKeeper } from "../settings/settings.ts";
import type { PathWatchers } from "../watch/path-watchers.ts";
import { type Core, applySettings, buildCore } from "./core.ts";
import { type DaemonOptions, type Foundation, type Outside, layFoundation } from "./foundation.ts";
import { type Address, Front } from "./front.ts";
import { removeInstance, writeInstance } from "./instance.ts";
import { type LastRestart, type RestartCause, restartNote } from "./restart.ts";
import { watchSettings } from "./settings-watch.ts";

/** A daemon that serves. */
export interface RunningDaemon {
  readonly url: string;
  /** Null where the path of the data folder is too long for a socket. */
  readonly socket: string | null;
  /** Drains within `daemon.graceMs` and stops; may be called again. `reason` is told in events. */
  stop(reason: string): Promise<void>;
  /** Drains and starts anew in this process; resolves when it serves again. */
  restart(): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
  /** Reads the settings file now. */
  reload(): Promise<void>;
}

/**
 * Starts a daemon on a data folder. Throws `settings_invalid`, `already_running`, `cannot_listen` or `storage`, and
 * has then left nothing behind.
 */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  // Whatever this process makes is for its user alone.
  process.umask(0o077);
  const outside: Outside = {
    clock: systemClock,
    random: systemRandom,
    ids: createIds(),
    env: process.env,
  };
  const releasers = new Releasers();
  try {
    const foundation = await layFoundation(options, outside, releasers);
    const daemon = new Daemon(options, outside, releasers, foundation);
    await daemon.start();
    return daemon;
  } catch (thrown) {
    await releasers.release();
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
  readonly #streams: EventStreams;
  readonly #front: Front;
  readonly #whenStopped = Promise.withResolvers<void>();
  #core: Core | undefined;
  #phase: DaemonInfo["phase"] = "starting";
  #isStopping = false;
  #socket: string | null = null;
  /** An address that could not be had, and why: it is not tried again before somebody asks for it. */
  #refused: (Address & { reason: string }) | undefined;
  #restarting: Promise<void> | undefined;
  #lastRestart: LastRestart | null = null;

  constructor(options: DaemonOptions, outside: Outside, releasers: Releasers, foundation: Foundation) {
    this.#options = options;
    this.#outside = outside;
    this.#releasers = releasers;
    this.#foundation = foundation;
    const { clock, random, env } = outside;
    const { store, bus, log, secrets, tell, onFault, folder } = foundation;
    this.#startedAt = clock.now();
    this.#keeper = new SettingsKeeper({
      path: options.settingsPath,
      accepted: new AcceptedSettings(folder.accepted),
      env,
      flags: options.flags,
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
    this.#watchers = watchSettings({ keeper: this.#keeper, clock, random, log });
    this.#streams = new EventStreams({ store, bus, clock });
    this.#front = new Front({ listen, clock, services: this.#services() });
    releasers.add(() => this.#streams.close());
    releasers.add(bus.subscribe(this.#ends));
  }

  get url(): string {
    return this.#front.url;
  }

  get socket(): string | null {
    return this.#socket;
  }

  get stopped(): Promise<void> {
    return this.#whenStopped.promise;
  }

  async reload(): Promise<void> {
    await this.#keeper.look("signal");
  }

  /** Settings, then interrupted messages, then the ways in; from then on it serves. */
  async start(): Promise<void> {
    const { store, log, followLevel, folder, tell, wasCrashed } = this.#foundation;
    const { version, settingsPath, isStrict } = this.#options;
    await this.#keeper.start(isStrict);
    followLevel(() => this.#keeper.inForce.settings.log.level);
    store.setDurability(this.#keeper.inForce.settings.storage.durability);
    const core = await buildCore(this.#foundation, this.#keeper, this.#outside);
    this.#core = core;
    await this.#recover(core.boot, wasCrashed);
    await this.#open();
    this.#phase = "serving";
    await this.#writeInstance();
    this.#releasers.add(() => removeInstance(folder));
    tell([{ type: "daemon.started", data: { instanceId: core.boot, version } }]);
    await core.registry.start([]);
    this.#releasers.add(() => this.#watchers.stop());
    this.#watchers.watch(this.#keeper.files);
    for (const { path, message } of this.#keeper.problems)
      log.warn(`${settingsPath} is not in force: ${path} ${message}`);
    log.info("serving", { url: this.url, revision: this.#keeper.inForce.revision });
  }

  async stop(reason: string): Promise<void> {
    if (!this.#isStopping) {
      this.#isStopping = true;
      this.#takeApart(reason).then(this.#whenStopped.resolve, this.#whenStopped.reject);
    }
    await this.stopped;
  }

  async restart(): Promise<void> {
    this.#refused = undefined;
    await this.#restartFor("request");
  }

  /** After a crash what was in flight is pending again, and sessions at work are told. */
  async #recover(boot: string, wasCrashed: boolean): Promise<void> {
    const { store, log } = this.#foundation;
    const now = this.#outside.clock.now();
    const { maxAttempts } = this.#keeper.inForce.settings.turn;
    const recovered = await store.messages.recover(boot, maxAttempts, now);
    if (recovered.requeued + recovered.failed > 0)
      log.warn("messages were in flight when the daemon stopped last", recovered);
    if (wasCrashed) await store.notes.add(await store.sessions.withPending(), restartNote("crash"), now);
  }

  async #open(): Promise<void> {
    const { folder, log } = this.#foundation;
    this.#releasers.add(() => this.#front.close());
    await this.#front.open(this.#wantedAddress());
    if (await this.#front.openSocket(folder.socket)) this.#socket = folder.socket;
    else
      log.warn(`${folder.socket} is too long a path for a socket; going without it, use --url ${this.url}`);
  }

  #wantedAddress(): Address {
    const { host, port } = this.#keeper.inForce.settings.server;
    return { host, port };
  }

  #settingsChanged({ settings }: InForce): void {
    const { store, onFault } = this.#foundation;
    store.setDurability(settings.storage.durability);
    if (!this.#core) return;
    applySettings(this.#core, settings);
    this.#watchers.poll();
    if (this.#isElsewhere() && this.#phase === "serving") this.#restartFor("configuration").catch(onFault);
  }

  /** Whether the settings want another address than the one in use and than one that was refused. */
  #isElsewhere(): boolean {
    const wanted = this.#wantedAddress();
    return !isSame(wanted, this.#front.address) && !(this.#refused && isSame(wanted, this.#refused));
  }

  /** One restart at a time; what was asked for meanwhile is looked at when it is over. */
  async #restartFor(cause: RestartCause): Promise<void> {
    while (this.#restarting) await this.#restarting;
    if (this.#isStopping) return;
    this.#restarting = this.#restartNow(cause);
    try {
      await this.#restarting;
    } finally {
      this.#restarting = undefined;
    }
    if (this.#isElsewhere()) await this.#restartFor("configuration");
  }

  async #restartNow(cause: RestartCause): Promise<void> {
    const { store, tell, log } = this.#foundation;
    const { clock } = this.#outside;
    const { graceMs } = this.#keeper.inForce.settings.daemon;
    // 1. Everything that can fail comes first: until here the daemon carries on as before.
    if (this.#isElsewhere() && !(await this.#move(graceMs)) && cause === "configuration") return;
    const old = this.#present();
    const startedAt = clock.now();
    this.#drainBegins(cause, graceMs);
    const active = new Set([...old.registry.atWork(), ...this.#streams.subscribedSessions()]);
    const { aborted, requeued } = await old.registry.drain(startedAt + graceMs);
    for (const session of await store.sessions.withPending()) active.add(session);
    const core = await buildCore(this.#foundation, this.#keeper, this.#outside);
    // 2. The swap. What the old core accepted is committed before the notes are: the new one finds it below.
    this.#core = core;
    this.#phase = "serving";
    const downtimeMs = clock.now() - startedAt;
    await store.notes.add([...active], restartNote(cause), clock.now());
    const sessions = await this.#recordOf(active);
    const at = clock.now();
    this.#lastRestart = { at, reason: cause, downtimeMs, sessions, requeued, timedOut: aborted };
    await this.#writeInstance();
    tell([
      { type: "daemon.restarted", data: { url: this.url, downtimeMs, sessions: sessions.length, requeued } },
    ]);
    await this.#foundation.pending.settled();
    this.#ends.releaseAll();
    this.#streams.endAll();
    await core.registry.start(sessions.map((session) => session.id));
    log.info("restarted", { cause, url: this.url, downtimeMs, sessions: sessions.length, requeued });
  }

  /** Whether the new listener serves; where it cannot be had the old one carries on, and says why. */
  async #move(graceMs: number): Promise<boolean> {
    const wanted = this.#wantedAddress();
    try {
      await this.#front.move(wanted, graceMs);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof SegueError)) throw thrown;
      const reason = errorText(thrown);
      this.#refused = { ...wanted, reason };
      this.#foundation.log.warn(reason);
      this.#foundation.tell([{ type: "daemon.restart_failed", data: { reason } }]);
      return false;
    }
  }

  #drainBegins(reason: string, graceMs: number): void {
    const { tell, log } = this.#foundation;
    const { gate } = this.#present();
    const inFlight = gate.totalInFlight();
    this.#phase = "draining";
    tell([{ type: "daemon.draining", data: { reason, graceMs, inFlight } }]);
    log.info("draining", { reason, graceMs, inFlight });
    gate.close();
  }

  async #recordOf(ids: ReadonlySet<string>): Promise<LastRestart["sessions"]> {
    const records = await Promise.all([...ids].map((id) => this.#foundation.store.sessions.get(id)));
    return records.flatMap((record) =>
      record
        ? [{ id: record.id, turns: record.turns, subscribers: this.#streams.subscribersOf(record.id) }]
        : [],
    );
  }

  async #takeApart(reason: string): Promise<void> {
    const { tell, pending, log } = this.#foundation;
    await this.#restarting;
    const { graceMs } = this.#keeper.inForce.settings.daemon;
    const deadline = this.#outside.clock.now() + graceMs;
    this.#drainBegins(reason, graceMs);
    this.#watchers.stop();
    await this.#keeper.stop();
    const { aborted } = await this.#present().registry.drain(deadline);
    tell([{ type: "daemon.stopping", data: { reason } }]);
    await pending.settled();
    this.#ends.releaseAll();
    this.#streams.endAll();
    log.info("stopped", { reason, aborted });
    await this.#releasers.release();
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
      daemon: () => this.#info(),
      settings: {
        inForce: () => this.#keeper.inForce,
        problems: () => this.#keeper.problems,
        watching: () => this.#watchers.mode,
        notInForce: () => this.#notInForce(),
        look: () => this.#keeper.look("file"),
        waiting: () => this.#keeper.waiting,
        apply: () => this.#keeper.apply(),
        edit: (edit, options) => this.#keeper.edit(edit, options),
      },
      stop: () => {
        this.stop("request").catch(onFault);
      },
      restart: () => {
        this.restart().catch(onFault);
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
      lastRestart: this.#lastRestart,
    };
  }

  #notInForce(): { key: string; reason: string }[] {
    const wanted = this.#wantedAddress();
    const present = this.#front.address;
    const reason =
      this.#refused && isSame(wanted, this.#refused)
        ? this.#refused.reason
        : "the daemon is about to restart";
    return [
      ...(wanted.host === present.host ? [] : [{ key: "server.host", reason }]),
      ...(wanted.port === present.port ? [] : [{ key: "server.port", reason }]),
    ];
  }
}

function isSame(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}
