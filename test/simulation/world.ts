import { type RunningDaemon, startDaemonIn } from "../../src/daemon/daemon.ts";
import { SegueError } from "../../src/core/errors.ts";
import { createIds } from "../../src/core/ids.ts";
import type { Outside } from "../../src/daemon/outside.ts";
import type { Server } from "./call-script.ts";
import { Chance } from "./chance.ts";
import { FolderWatches } from "./folder-watches.ts";
import type { Seen, Sight } from "./history.ts";
import { Network } from "./network.ts";
import { SimulatedProcess } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { Servers } from "./servers.ts";
import { SurvivingDatabase } from "./surviving-database.ts";
import { VirtualDisk, filesFor } from "./virtual-files.ts";

/** Where the world has its settings file and its data folder; nothing like it exists outside of it. */
export const settingsPath = "/simulated/settings/settings.json";
export const keyPath = "/simulated/settings/first.key";
const dataDir = "/simulated/data";

/** How often somebody saves the settings file in the very moment in which the daemon replaces it. */
const lastMoment = 0.05;
/** How often a disk takes its time to make a file durable, and how long at most. */
const slowSync = 0.1;
const longestSyncMs = 400;

/** What a broken promise is reported with. */
export class Breach extends Error {
  readonly promise: string;

  constructor(promise: string, text: string) {
    super(text);
    this.name = "Breach";
    this.promise = promise;
  }
}

/** When a life begins: at noon, or shortly before the day of its budget ends. */
const births = ["2026-03-01T12:00:00.000Z", "2026-03-01T23:57:00.000Z", "2026-03-01T23:59:40.000Z"] as const;

/** Everything around a daemon, and the daemon in it: one at a time, as many after each other as there are crashes. */
export class World {
  readonly scheduler: Scheduler;
  readonly disk: VirtualDisk;
  readonly database: SurvivingDatabase;
  readonly network: Network;
  readonly watches: FolderWatches;
  readonly servers: Servers;
  /** The chance of what happens at present. */
  chance: Chance;
  /** Told, now and then, in the very moment before the settings file is replaced. */
  onExchange: () => void = () => {};
  /** Told, once, in the very moment in which a provider's answer ends. */
  onceAnswered: (() => void) | undefined;
  /** Told when the settings file has changed, by whomever. */
  onWritten: () => void = () => {};
  /** What went wrong first; the life is over then. */
  broken: unknown;
  /** What was seen so far. */
  readonly history: Seen[] = [];
  #step = 0;
  #isStepDue = false;
  #boots = 0;
  #process: SimulatedProcess | undefined;
  #hasFailedToBoot = false;
  #daemon: RunningDaemon | undefined;
  readonly #seed: number;
  /** Whether two files can change places in one step. */
  readonly #canExchange: boolean;
  readonly #judge: (seen: Seen) => void;
  readonly #onStep: Outside["onSessionStep"];

  constructor(parts: {
    seed: number;
    servers: readonly Server[];
    judge: (seen: Seen) => void;
    onSessionStep?: Outside["onSessionStep"];
  }) {
    this.#seed = parts.seed;
    this.#judge = parts.judge;
    this.#onStep = parts.onSessionStep;
    this.chance = new Chance(parts.seed);
    this.scheduler = new Scheduler(Date.parse(this.chance.pick(births)), this.chance);
    this.#canExchange = this.chance.happens(0.5);
    const chance = (): Chance => this.chance;
    this.network = new Network(chance);
    this.watches = new FolderWatches({
      scheduler: this.scheduler,
      chance,
      hasFolder: (folder) => this.disk.hasFolder(folder),
      watchedClosely: [settingsPath, keyPath],
      onFate: (fate, path) =>
        this.see({ kind: "hint", of: path === settingsPath ? "settings" : "reference", fate }),
      onTold: () => {
        this.#isStepDue = true;
      },
    });
    this.disk = new VirtualDisk(
      () => this.scheduler.now,
      (folder, name) => this.#fileChanged(folder, name),
    );
    this.disk.makeFolder("/simulated/settings");
    this.database = new SurvivingDatabase(this.scheduler, chance);
    this.servers = new Servers({
      servers: parts.servers,
      chance,
      see: (sight) => this.see(sight),
      after: (ms, task) => void this.scheduler.after(ms, task),
    });
  }

  /** How many things have happened from outside. */
  get steps(): number {
    return this.#step;
  }

  /** The process that runs; undefined where none does. */
  get process(): SimulatedProcess | undefined {
    return this.#process;
  }

  /** Whether the last process could not start. */
  get hasFailedToBoot(): boolean {
    return this.#hasFailedToBoot;
  }

  /** The daemon that serves. */
  get daemon(): RunningDaemon | undefined {
    return this.#daemon;
  }

  /** Something happens from outside. */
  beginStep(): void {
    this.#step += 1;
    this.#isStepDue = false;
  }

  /** Notes what is seen; what breaks a promise ends the life, and is nothing to whoever happened to be at work. */
  see(sight: Sight): void {
    if (this.broken !== undefined) return;
    if (this.#isStepDue) this.beginStep();
    const seen: Seen = { ...sight, at: this.scheduler.now, step: this.#step };
    this.history.push(seen);
    try {
      this.#judge(seen);
    } catch (thrown) {
      this.broken = thrown;
    }
    if (sight.kind === "callEnded") this.#answered();
  }

  /** Starts a process, unless one runs. */
  boot(): void {
    if (this.#process) return;
    // 1. It takes a moment to start: nothing that it does bears the time of what the one before it did.
    this.scheduler.skipTo(this.scheduler.now + 1);
    const process = new SimulatedProcess(++this.#boots, this.scheduler);
    const { boot } = process;
    this.#process = process;
    process.atDeath((variant) => {
      this.#gone(process);
      this.see({ kind: "crash", boot, variant });
    });
    this.see({ kind: "boot", boot, phase: "asked" });
    const options = { settingsPath, dataDir, flags: [], isStrict: false, version: "0.0.0" };
    startDaemonIn(this.#outsideOf(process), { ...options, logFormat: "json" }).then(
      (daemon) => {
        if (process.isDead) return;
        this.#daemon = daemon;
        this.#hasFailedToBoot = false;
        this.see({ kind: "boot", boot, phase: "serving" });
        // 2. One that cannot stop properly ends as a process all the same.
        daemon.stopped.then(
          () => this.#stopped(process),
          () => process.kill("idle"),
        );
      },
      (thrown: unknown) => {
        if (process.isDead) return;
        this.#hasFailedToBoot = true;
        this.see({ kind: "boot", boot, phase: "failed", reason: String(thrown) });
        // 3. Where it fails late turns may run: they end with the process.
        process.kill("idle");
      },
    );
  }

  /** Asks the daemon to read its settings, as a signal does. */
  reload(): void {
    const process = this.#process;
    if (!process || !this.#daemon) return;
    this.see({ kind: "reload", boot: process.boot });
    this.#daemon.reload().catch((thrown: unknown) => this.#failed(process, thrown));
  }

  /** Asks the daemon to restart, as a signal does. */
  restart(): void {
    const process = this.#process;
    if (!process || !this.#daemon) return;
    this.see({ kind: "restart", boot: process.boot });
    this.#daemon.restart().catch((thrown: unknown) => this.#failed(process, thrown));
  }

  /** Asks the process to stop, as a signal does. */
  stop(): void {
    const process = this.#process;
    if (!process || !this.#daemon) return;
    this.see({ kind: "stop", boot: process.boot, phase: "asked" });
    this.#daemon.stop("signal").catch((thrown: unknown) => this.#failed(process, thrown));
  }

  /** Turns until nothing is left to do at this moment. */
  async settle(): Promise<void> {
    await this.scheduler.settle();
    this.#isStepDue = false;
  }

  /** So many turns, or until nothing is left to do. */
  async turn(count: number): Promise<void> {
    for (let turn = 0; turn < count && (await this.scheduler.turn()); turn++);
  }

  /** Time goes on, from timer to timer; ends early when something is broken. */
  async advance(ms: number): Promise<void> {
    const until = this.scheduler.now + ms;
    await this.settle();
    while (this.broken === undefined) {
      this.#isStepDue = true;
      if (!this.scheduler.fire(until)) break;
      await this.settle();
    }
    this.#isStepDue = false;
    this.scheduler.skipTo(until);
  }

  /** What a process that has stopped left behind. */
  leftovers(): { timers: number; listeners: number; databases: number; watches: number } {
    const { network, database } = this;
    const timers = this.#process?.timers ?? 0;
    return { timers, listeners: network.open, databases: database.open, watches: this.watches.open };
  }

  #stopped(process: SimulatedProcess): void {
    if (process.isDead) return;
    const left = this.leftovers();
    process.exit();
    this.#gone(process);
    this.see({ kind: "stop", boot: process.boot, phase: "stopped" });
    if (Object.values(left).some((count) => count > 0))
      this.breakWith(
        new Breach("nothing leaks", `after it had stopped there were left: ${JSON.stringify(left)}`),
      );
  }

  #gone(process: SimulatedProcess): void {
    this.#process = undefined;
    this.#daemon = undefined;
    this.watches.forget(process);
  }

  /** Ends the life for something that the world itself can tell to be wrong. */
  breakWith(breach: Breach): void {
    this.broken ??= breach;
  }

  /** What was to be expected is said in words; whether the daemon goes on as promised shows by itself. */
  #failed(process: SimulatedProcess, thrown: unknown): void {
    if (!(thrown instanceof SegueError)) this.#reportBug(process, String(thrown));
  }

  #reportBug(process: SimulatedProcess, text: string): void {
    if (!process.isDead) this.breakWith(new Breach("no bug is met", text));
  }

  #outsideOf(process: SimulatedProcess): Outside {
    // Each process has a chance of its own: what a dead one goes on to ask for takes nothing from the next.
    const chance = new Chance(this.#seed, process.boot);
    return {
      clock: process,
      random: chance.next,
      ids: createIds(
        () => process.now(),
        (bytes) => bytes.forEach((_, place) => (bytes[place] = chance.below(256))),
      ),
      env: {},
      files: filesFor(process, this.disk, () => this.#syncMs()),
      exchange: (one, other) => {
        process.pass();
        if (!this.#canExchange) return false;
        if (other === settingsPath && this.chance.happens(lastMoment)) this.#inTheLastMoment();
        return this.disk.exchange(one, other);
      },
      watchFolder: (folder, listener) => this.watches.watch({ process, folder, listener }),
      openDatabase: this.database.openerFor(process),
      listen: this.network.listenFor(process),
      holderOfPort: () => process.outside(() => undefined),
      createProvider: this.servers.createFor(process),
      writeLog: (line) => this.#logged(process, line),
      ...(this.#onStep && { onSessionStep: this.#onStep }),
    };
  }

  #syncMs(): number {
    return this.chance.happens(slowSync) ? this.chance.below(longestSyncMs) : 0;
  }

  #answered(): void {
    const told = this.onceAnswered;
    if (!told) return;
    this.onceAnswered = undefined;
    this.beginStep();
    told();
  }

  #inTheLastMoment(): void {
    this.beginStep();
    this.onExchange();
  }

  /** A fault is logged with its stack where it is a bug, and with its message where it was to be expected. */
  #logged(process: SimulatedProcess, line: string): void {
    if (process.isDead || !/\\n\s+at /.test(line)) return;
    this.#reportBug(process, line);
  }

  #fileChanged(folder: string, name: string): void {
    if (`${folder}/${name}` === settingsPath) this.onWritten();
    if (folder !== dataDir) this.watches.changed(folder, name);
  }
}
