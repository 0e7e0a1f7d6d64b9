import type { Clock } from "../core/clock.ts";
import { SegueError, errorText } from "../core/errors.ts";
import { EventBus, type NewEvent } from "../core/events.ts";
import type { Ids, Random } from "../core/ids.ts";
import { Releasers } from "../core/lifecycle.ts";
import { type Log, type LogLevel, createLog } from "../core/log.ts";
import { openDatabase } from "../platform/bun.ts";
import { Budget } from "../providers/budget.ts";
import { createProvider } from "../providers/create.ts";
import { Gate } from "../providers/gate.ts";
import { Guard } from "../providers/guard.ts";
import { identityOf } from "../providers/identity.ts";
import { Parks } from "../providers/parks.ts";
import { type BindingInputs, bindingOf } from "../sessions/binding.ts";
import { Bindings } from "../sessions/bindings.ts";
import { SessionRegistry } from "../sessions/registry.ts";
import { AcceptedSettings } from "../settings/accepted.ts";
import type { Flag } from "../settings/flags.ts";
import type { Settings } from "../settings/schema.ts";
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
  guard: Guard;
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
  let guard: Guard | undefined;
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
    countAffected: (settings) =>
      registry?.countAffected(settings) ?? { now: 0, atBoundary: 0, unaffected: 0 },
    onChange: ({ settings }) => {
      store.setDurability(settings.storage.durability);
      guard?.forgetUnwanted((identity) => isWanted(settings, registry, identity));
      registry?.rollOut();
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
  const now = clock.now();
  const stored = await store.endpoints.load();
  guard = new Guard({
    random,
    stored,
    mode: () => keeper.inForce.settings.reload.guard,
    retryMs: () => turnSettings().retryMs,
    store: {
      prove: (proven) => pending.keep(store.endpoints.prove(proven)),
      hold: (identity, hold, events) =>
        pending.keep(store.endpoints.hold(identity, hold, events, clock.now())),
    },
    countWanting: (identity) => registry?.countWanting(identity) ?? { sessions: 0, runningUnder: null },
    onChange: () => registry?.rollOut(),
  });
  gate = new Gate({
    clock,
    guard,
    limits: () => ({ ...keeper.inForce.settings.limits, retryMs: turnSettings().retryMs }),
    tell: (event) => tell([event]),
    budget: new Budget(await store.tokensOnDayOf(now), now),
    parks: new Parks({
      random,
      stored: stored.parks,
      store: (scope, park, events) => pending.keep(store.endpoints.park(scope, park, events, clock.now())),
    }),
  });
  registry = new SessionRegistry({
    idleUnloadMs: () => keeper.inForce.settings.sessions.idleUnloadMs,
    staggerMs: () => keeper.inForce.settings.reload.staggerMs,
    around: {
      boot,
      store,
      gate,
      guard,
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
  const parts = { boot, folder, log, bus, pending, store, keeper, bindings, gate, guard, registry, watchers };
  return { ...parts, tell, onFault, releasers };
}

/** Whether a held binding is still one that the settings name first or as a fallback, or that a session wants. */
function isWanted(settings: Settings, registry: SessionRegistry | undefined, identity: string): boolean {
  if (settings.reload.guard === "off") return false;
  const names = [settings.provider, ...settings.fallback];
  return (
    names.some((name) => identityOf(bindingOf(settings, followerOf(name)).config).binding === identity) ||
    registry?.isWanted(identity) === true
  );
}

/** A session that sets nothing for itself but its provider. */
function followerOf(provider: string): BindingInputs {
  return { overrides: { provider, model: null, mode: null }, system: null };
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
