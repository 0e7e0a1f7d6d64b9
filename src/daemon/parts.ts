import type { Clock } from "../core/clock.ts";
import { SegueError, errorText } from "../core/errors.ts";
import { EventBus, type NewEvent } from "../core/events.ts";
import type { Ids, Random } from "../core/ids.ts";
import { Releasers } from "../core/lifecycle.ts";
import { type Log, type LogLevel, createLog } from "../core/log.ts";
import { openDatabase } from "../platform/bun.ts";
import { createProvider } from "../providers/create.ts";
import { Gate } from "../providers/gate.ts";
import { Bindings } from "../sessions/bindings.ts";
import { SessionRegistry } from "../sessions/registry.ts";
import { AcceptedSettings } from "../settings/accepted.ts";
import type { Flag } from "../settings/flags.ts";
import { Secrets } from "../settings/secrets.ts";
import { SettingsKeeper } from "../settings/settings.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { PathWatchers } from "../watch/path-watchers.ts";
import { type DataFolder, dataFolder, lockDataFolder, makeDataFolder } from "./instance.ts";
import { Pending } from "./pending.ts";
import { watchSettings } from "./settings-watch.ts";

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
}

/** Time, chance and the outside, handed in. */
export interface Outside {
  clock: Clock;
  random: Random;
  ids: Ids;
  env: Readonly<Record<string, string | undefined>>;
}

/** The parts of a daemon, composed; nothing of them serves yet. */
export interface Parts {
  /** This start of the core; leases carry it. */
  boot: string;
  folder: DataFolder;
  log: Log;
  bus: EventBus;
  pending: Pending;
  store: Store;
  keeper: SettingsKeeper;
  bindings: Bindings;
  gate: Gate;
  registry: SessionRegistry;
  watchers: PathWatchers;
  /** Stores events that belong to no other write. */
  tell: (events: readonly NewEvent[]) => void;
  /** A fault that is a bug: logged. */
  onFault: (thrown: unknown) => void;
  /** Lets go of everything that was built, in the opposite order. */
  releasers: Releasers;
}

/**
 * Builds the parts in the order in which they need each other: folder and lock, store, settings, gate, sessions.
 * Throws `already_running`, `storage` or `settings_invalid`, and has then let go of what it built.
 */
export async function buildParts(options: DaemonOptions, outside: Outside): Promise<Parts> {
  const releasers = new Releasers();
  try {
    return await build(options, outside, releasers);
  } catch (thrown) {
    await releasers.release();
    throw thrown;
  }
}

async function build(options: DaemonOptions, outside: Outside, releasers: Releasers): Promise<Parts> {
  const { clock, ids, random } = outside;
  const secrets = new Secrets();
  let level = (): LogLevel => "info";
  const log = openLog(options, secrets, () => level());
  const onFault = (thrown: unknown): void => log.error(faultText(thrown));
  const bus = new EventBus(onFault);
  const pending = new Pending(onFault);
  const { folder, store } = await openFolder(options.dataDir, clock, bus, releasers);
  const tell = (events: readonly NewEvent[]): void => pending.keep(store.events.append(events, clock.now()));

  // Settings and sessions need each other: what the keeper calls before they stand has nobody to tell.
  let registry: SessionRegistry | undefined;
  let gate: Gate | undefined;
  let watchers: PathWatchers | undefined;
  const keeper: SettingsKeeper = new SettingsKeeper({
    path: options.settingsPath,
    accepted: new AcceptedSettings(folder.accepted),
    env: outside.env,
    flags: options.flags,
    clock,
    store,
    learnSecrets: (values) => secrets.learn(values),
    countAffected: (settings) => registry?.countAffected(settings) ?? { now: 0, atBoundary: 0, unaffected: 0 },
    onChange: ({ settings }) => {
      store.setDurability(settings.storage.durability);
      registry?.settingsChanged();
      gate?.reconsider();
    },
    onLooked: () => watchers?.watch(keeper.files),
    tell,
    onFault,
  });
  await keeper.start(options.isStrict);
  level = () => keeper.inForce.settings.log.level;
  store.setDurability(keeper.inForce.settings.storage.durability);

  const boot = ids.boot();
  const bindings = new Bindings(() => keeper.inForce);
  const turnSettings = () => keeper.inForce.settings.turn;
  gate = new Gate({
    clock,
    random,
    limits: () => ({ ...keeper.inForce.settings.limits, retryMs: turnSettings().retryMs }),
    tell: (event) => tell([event]),
    tokensToday: await store.tokensOnDayOf(clock.now()),
  });
  registry = new SessionRegistry({
    idleUnloadMs: () => keeper.inForce.settings.sessions.idleUnloadMs,
    around: {
      boot,
      store,
      gate,
      clock,
      random,
      ids,
      bindings,
      tell,
      createProvider: (config) =>
        createProvider(config, { clock, withheldEnv: () => keeper.inForce.reading.referencedVariables }),
      retry: turnSettings,
      revision: () => keeper.inForce.revision,
      redact: (text) => secrets.redact(text),
      onDelta: (delta) => bus.publishDelta(delta),
      onFault: (session, thrown) => log.error(`session ${session}: ${faultText(thrown)}`, { session }),
    },
  });
  watchers = watchSettings({ keeper, clock, random, log });
  return { boot, folder, log, bus, pending, store, keeper, bindings, gate, registry, watchers, tell, onFault, releasers };
}

/** The data folder, held for this process alone, and the store in it. */
async function openFolder(
  path: string,
  clock: Clock,
  bus: EventBus,
  releasers: Releasers,
): Promise<{ folder: DataFolder; store: Store }> {
  const folder = dataFolder(path);
  await makeDataFolder(folder);
  releasers.add(await lockDataFolder(folder, openDatabase));
  const store = openSqliteStore({
    open: () => openDatabase(folder.store),
    clock,
    publish: (events) => bus.publish(events),
    backupPath: (version) => `${folder.store}.before-upgrade-from-${version}`,
  });
  releasers.add(() => store.close());
  return { folder, store };
}

function openLog(options: DaemonOptions, secrets: Secrets, level: () => LogLevel): Log {
  return createLog({
    format: options.logFormat,
    isColored: options.logFormat === "text" && process.stderr.isTTY && process.env["NO_COLOR"] === undefined,
    level,
    redact: (text) => secrets.redact(text),
    write: (line) => void process.stderr.write(line),
  });
}

function faultText(thrown: unknown): string {
  if (thrown instanceof SegueError) return thrown.message;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : errorText(thrown);
}
