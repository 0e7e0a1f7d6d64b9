import { Releasers } from "../core/releasers.ts";
import type { Services, LastRestart } from "../http/services.ts";
import type { DrainReason } from "../sessions/drain.ts";
import type { Settings } from "../settings/schema.ts";
import { Audience } from "./audience.ts";
import { type Core, applySettings, buildCore, goOnFrom } from "./core.ts";
import { Ending } from "./ending.ts";
import { EventLog } from "./event-log.ts";
import { type DaemonOptions, type Foundation, layFoundation } from "./foundation.ts";
import { Front } from "./front.ts";
import { KeptSettings } from "./kept-settings.ts";
import { Opening } from "./opening.ts";
import { type Outside, systemOutside } from "./outside.ts";
import { Presence } from "./presence.ts";
import { type DrainParts, Restarts } from "./restart.ts";
import { Retention } from "./retention.ts";
import { servicesOf } from "./services.ts";
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
  readonly #settings: KeptSettings;
  readonly #audience: Audience;
  readonly #presence: Presence;
  readonly #front: Front;
  readonly #restarts: Restarts;
  readonly #ending: Ending;
  #core: Core | undefined;

  constructor(options: DaemonOptions, outside: Outside, releasers: Releasers, foundation: Foundation) {
    this.#options = options;
    this.#outside = outside;
    this.#releasers = releasers;
    this.#foundation = foundation;
    const { clock, listen, holderOfPort, files } = outside;
    this.#settings = new KeptSettings({
      options,
      outside,
      foundation,
      countAffected: (settings) =>
        this.#core?.registry.countAffected(settings) ?? { now: 0, atBoundary: 0, unaffected: 0 },
      onChange: ({ settings }) => this.#settingsChanged(settings),
    });
    this.#audience = new Audience(foundation, clock);
    releasers.add(() => this.#audience.close());
    this.#presence = new Presence({
      options,
      outside,
      foundation,
      url: () => this.#front.url,
      instanceId: () => this.#core?.boot,
      lastRestart: () => this.#restarts.last,
    });
    this.#front = new Front({ listen, holderOfPort, files, clock, services: this.#services() });
    this.#restarts = this.#createRestarts();
    this.#ending = this.#createEnding();
  }

  get url(): string {
    return this.#presence.url;
  }

  get socket(): string | null {
    return this.#presence.socket;
  }

  /** Whether it has answered anybody. */
  get hasServed(): boolean {
    return this.#presence.hasServed;
  }

  get stopped(): Promise<void> {
    return this.#ending.over;
  }

  reload(): Promise<void> {
    return this.#presence.reload(() => this.#settings.keeper.look("signal"));
  }

  restart(cause: "request" | "upgrade" = "request"): Promise<void> {
    return this.#restarts.ask(cause);
  }

  stop(reason: string, putBackFor: DrainReason = "drain"): Promise<void> {
    return this.#ending.begin(reason, putBackFor);
  }

  /** Settings, then interrupted messages, then the ways in; from then on it serves. */
  async start(): Promise<void> {
    const { log } = this.#foundation;
    await this.#settings.start();
    const core = await this.#buildCore();
    this.#core = core;
    const opening = new Opening({
      foundation: this.#foundation,
      front: this.#front,
      clock: this.#outside.clock,
      handover: this.#options.handover,
    });
    const { turn, server } = this.#settings.now;
    const last = await opening.takeUp(core.boot, turn.maxAttempts);
    this.#releasers.add(() => this.#front.close());
    this.#releasers.add(() => this.#ending.undoStart());
    const address = { host: server.host, port: server.port };
    this.#presence.isAt(await opening.open(address, () => this.#presence.serves()));
    this.#releasers.add(() => this.#presence.withdraw());
    await this.#begin(core, opening, last);
    this.#releasers.add(() => this.#settings.unwatch());
    this.#settings.watch();
    this.#keepInBounds();
    this.#settings.logProblems();
    log.info("serving", { url: this.url, revision: this.#settings.keeper.inForce.revision });
    this.#releasers.add(() => this.#presence.fallSilent());
    await this.#presence.meetServiceManager();
    // What the program before could not put in force this one tries again.
    this.#restarts.follow();
  }

  /** Says that it serves, and takes up the work; `last` is the upgrade it came with. */
  async #begin(core: Core, opening: Opening, last: LastRestart | undefined): Promise<void> {
    const { tell, onFault } = this.#foundation;
    if (last) this.#restarts.begunWith(last);
    // 1. A program that took another's place goes on without what fails: it is answering already.
    await this.#presence.announce().catch((thrown: unknown) => {
      if (!last) throw thrown;
      onFault(thrown);
    });
    tell(opening.events({ instanceId: core.boot, version: this.#options.version }, last));
    this.#logEvents();
    await this.#restarts.takeUp(core, last?.sessions.map(({ id }) => id) ?? []);
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

  /** Deletes what is older than it is to be kept, for as long as the daemon runs. */
  #keepInBounds(): void {
    const { store, onFault } = this.#foundation;
    const retention = new Retention({
      store,
      clock: this.#outside.clock,
      random: this.#outside.random,
      keep: () => this.#settings.now.storage,
      registry: () => this.#present().registry,
      onFault,
    });
    this.#releasers.add(() => retention.stop());
    retention.start();
  }

  #settingsChanged(settings: Settings): void {
    if (!this.#core) return;
    applySettings(this.#core, settings);
    this.#settings.follow();
    this.#restarts.follow();
  }

  /** Lets no turn start any more, and tells so. */
  #drainBegins(reason: string, graceMs: number): void {
    const { tell, log } = this.#foundation;
    const { gate } = this.#present();
    const inFlight = gate.totalInFlight();
    this.#presence.drains(reason, graceMs, { isEnding: this.#ending.isBegun });
    tell([{ type: "daemon.draining", data: { reason, graceMs, inFlight } }]);
    log.info("draining", { reason, graceMs, inFlight });
    gate.close();
  }

  #services(): Services {
    return servicesOf({
      foundation: this.#foundation,
      outside: this.#outside,
      audience: this.#audience,
      settings: this.#settings,
      presence: this.#presence,
      restarts: () => this.#restarts,
      core: () => this.#present(),
      stop: () => this.stop("request"),
    });
  }

  #drainParts(): DrainParts {
    const { streams, ends } = this.#audience;
    return {
      foundation: this.#foundation,
      clock: this.#outside.clock,
      front: this.#front,
      streams,
      ends,
      settings: () => this.#settings.now,
      core: () => this.#present(),
      drainBegins: (reason, graceMs) => this.#drainBegins(reason, graceMs),
    };
  }

  #createRestarts(): Restarts {
    return new Restarts({
      ...this.#drainParts(),
      buildCore: () => this.#buildCore(),
      swap: (core) => {
        goOnFrom(core, this.#present());
        this.#core = core;
        this.#presence.serves();
      },
      announce: () => this.#presence.announce(),
      upgrade: (stopping) => this.#upgrade(stopping),
    });
  }

  #createEnding(): Ending {
    return new Ending({
      ...this.#drainParts(),
      kept: this.#settings,
      presence: this.#presence,
      restarts: this.#restarts,
      releasers: this.#releasers,
    });
  }

  /** Where no program can go on in this process, the daemon is over. */
  async #upgrade(stopping: AbortSignal): Promise<void> {
    const upgrades = new Upgrades({
      ...this.#drainParts(),
      env: this.#outside.env,
      program: this.#options.program,
      letGo: () => this.#ending.letGo(),
    });
    await upgrades.run(stopping).catch((thrown: unknown) => this.#ending.fail(thrown));
  }

  #buildCore(): Promise<Core> {
    return buildCore(this.#foundation, this.#settings.keeper, this.#outside);
  }

  #present(): Core {
    if (!this.#core) throw new Error("the daemon was asked before it had started");
    return this.#core;
  }
}
