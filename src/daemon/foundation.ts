import { SegueError, errorText } from "../core/errors.ts";
import { EventBus, type NewEvent } from "../core/events.ts";
import type { Releasers } from "../core/releasers.ts";
import { type Log, type LogLevel, createLog } from "../core/log.ts";
import type { Flag } from "../settings/flags.ts";
import { Secrets } from "../settings/secrets.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import {
  type DataFolder,
  dataFolder,
  keepHolding,
  lockDataFolder,
  makeDataFolder,
  readInstance,
} from "./instance.ts";
import type { Outside } from "./outside.ts";
import { type Handover, type Program, forgetHandover } from "./handover.ts";
import { Pending } from "./pending.ts";
import { copyPath } from "./store-copy.ts";

/** What `segue serve` was told. */
export interface DaemonOptions {
  settingsPath: string;
  dataDir: string;
  /** They beat the settings file. */
  flags: readonly Flag[];
  /** Do not start on the last accepted settings where the file is bad. */
  isStrict: boolean;
  logFormat: "json" | "text";
  version: string;
  /** How it was started: an upgrade starts it so again. */
  program?: Program;
  /** What the program before left behind, whose place this one takes in the same process. */
  handover?: Handover;
}

/** That a data folder is held by this process, and whether it still is when this daemon ends in it. */
export class Hold {
  readonly #letGo: () => void;
  /** Another program takes the place of this one, and finds the folder held, with what says so in it. */
  isPassedOn: boolean;

  constructor(letGo: () => void, isPassedOn: boolean) {
    this.#letGo = letGo;
    this.isPassedOn = isPassedOn;
  }

  /** The daemon has ended. */
  end(): void {
    if (!this.isPassedOn) this.#letGo();
  }
}

/** What everything else of a daemon stands on; it outlives a restart in process. */
export interface Foundation {
  folder: DataFolder;
  hold: Hold;
  /** Whether the daemon that held the folder before ended without letting go of it. */
  wasCrashed: boolean;
  store: Store;
  bus: EventBus;
  secrets: Secrets;
  log: Log;
  /** Sets where the level of the log is asked for. */
  followLevel: (level: () => LogLevel) => void;
  pending: Pending;
  /** Stores events that belong to no other write. */
  tell: (events: readonly NewEvent[]) => void;
  /** A fault that is a bug: logged. */
  onFault: (thrown: unknown) => void;
}

/** Takes the data folder and opens the store in it. Throws `already_running` or `storage`. */
export async function layFoundation(
  options: DaemonOptions,
  { clock, files, openDatabase, writeLog }: Outside,
  releasers: Releasers,
): Promise<Foundation> {
  const secrets = new Secrets();
  let level = (): LogLevel => "info";
  const log = openLog(options, { secrets, level: () => level(), write: writeLog });
  const onFault = (thrown: unknown): void => log.error(faultText(thrown));
  const bus = new EventBus(onFault);
  const pending = new Pending(onFault);
  const folder = dataFolder(options.dataDir, files);
  await makeDataFolder(folder);
  const { handover } = options;
  const letGo = handover ? keepHolding(handover.lock) : await lockDataFolder(folder, openDatabase);
  // Until it serves, a program that took another's place may give it back.
  const hold = new Hold(letGo, handover !== undefined);
  releasers.add(() => hold.end());
  if (!handover) await forgetHandover(folder);
  const wasCrashed = !handover && (await readInstance(folder)) !== undefined;
  const store = openSqliteStore({
    open: () => openDatabase(folder.store),
    clock,
    publish: (events) => bus.publish(events),
    backupPath: (version) => copyPath(folder.store, version),
  });
  releasers.add(() => store.close());
  const tell = (events: readonly NewEvent[]): void => pending.keep(store.events.append(events, clock.now()));
  const followLevel = (ask: () => LogLevel): void => {
    level = ask;
  };
  return { folder, hold, wasCrashed, store, bus, secrets, log, followLevel, pending, tell, onFault };
}

/** What a log says of a fault: expected ones by their message, bugs with their stack. */
export function faultText(thrown: unknown): string {
  if (thrown instanceof SegueError) return thrown.message;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : errorText(thrown);
}

function openLog(
  options: DaemonOptions,
  { secrets, level, write }: { secrets: Secrets; level: () => LogLevel; write: (line: string) => void },
): Log {
  return createLog({
    format: options.logFormat,
    isColored: options.logFormat === "text" && process.stderr.isTTY && process.env["NO_COLOR"] === undefined,
    level,
    redact: (text) => secrets.redact(text),
    write,
  });
}
