import { Budget } from "../providers/budget.ts";
import type { Candidate } from "../providers/candidate.ts";
import { Gate } from "../providers/gate.ts";
import { Guard } from "../providers/guard.ts";
import { identityOf } from "../providers/identity.ts";
import { Parks } from "../providers/parks.ts";
import { type BindingInputs, bindingOf } from "../sessions/binding.ts";
import { Bindings, type SettingsInForce } from "../sessions/bindings.ts";
import { SessionRegistry } from "../sessions/registry.ts";
import type { SessionSurroundings } from "../sessions/surroundings.ts";
import type { Settings } from "../settings/schema.ts";
import type { SettingsKeeper } from "../settings/settings.ts";
import { type Foundation, faultText } from "./foundation.ts";
import type { Outside } from "./outside.ts";

/** What a restart of the daemon replaces: everything that takes turns. */
export interface Core {
  /** Leases carry it; another one after every restart. */
  boot: string;
  bindings: Bindings;
  guard: Guard;
  gate: Gate;
  registry: SessionRegistry;
}

/** What a core is built of. */
export interface CoreParts extends Pick<
  SessionSurroundings,
  | "store"
  | "clock"
  | "random"
  | "ids"
  | "createProvider"
  | "tell"
  | "redact"
  | "onDelta"
  | "onFault"
  | "onStep"
> {
  inForce: () => SettingsInForce;
  /** Takes over a write that nobody waits for. */
  keep: (write: Promise<unknown>) => void;
}

/** Builds a core over what is stored; nothing in it is at work before `registry.start`. */
export async function composeCore(parts: CoreParts): Promise<Core> {
  const { store, clock, random, ids, inForce, keep, tell } = parts;
  const settings = (): Settings => inForce().settings;
  const boot = ids.boot();
  const bindings = new Bindings(inForce);
  const now = clock.now();
  const stored = await store.endpoints.load();
  const guard = new Guard({
    random,
    stored,
    mode: () => settings().reload.guard,
    retryMs: () => settings().turn.retryMs,
    store: {
      prove: (proven) => keep(store.endpoints.prove(proven)),
      hold: (identity, hold, events) => keep(store.endpoints.hold(identity, hold, events, clock.now())),
    },
    countWanting: (identity) => registry.countWanting(identity),
    isWanted: (identity) => isWanted(settings(), registry, identity),
    onChange: () => registry.rollOut(),
  });
  const gate = new Gate({
    clock,
    guard,
    limits: () => ({ ...settings().limits, retryMs: settings().turn.retryMs }),
    tell: (event) => tell([event]),
    budget: new Budget(await store.tokensOnDayOf(now), now),
    parks: new Parks({
      random,
      stored: stored.parks,
      store: (scope, park, events) => keep(store.endpoints.park(scope, park, events, clock.now())),
    }),
  });
  const registry: SessionRegistry = new SessionRegistry({
    idleUnloadMs: () => settings().sessions.idleUnloadMs,
    staggerMs: () => settings().reload.staggerMs,
    onWishes: () => guard.forgetUnwanted(),
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
      createProvider: parts.createProvider,
      retry: () => settings().turn,
      revision: () => inForce().revision,
      redact: parts.redact,
      onStep: parts.onStep,
      onDelta: parts.onDelta,
      onFault: parts.onFault,
    },
  });
  return { boot, bindings, guard, gate, registry };
}

/** The core of a daemon: over its foundation and the settings it keeps. */
export function buildCore(foundation: Foundation, keeper: SettingsKeeper, outside: Outside): Promise<Core> {
  const { store, bus, secrets, log, pending, tell } = foundation;
  const { clock, random, ids, createProvider, onSessionStep } = outside;
  const withheldEnv = (): readonly string[] => keeper.inForce.reading.referencedVariables;
  return composeCore({
    store,
    clock,
    random,
    ids,
    tell,
    inForce: () => keeper.inForce,
    keep: (write) => pending.keep(write),
    createProvider: (config) => createProvider(config, { clock, withheldEnv }),
    redact: (text) => secrets.redact(text),
    onStep: onSessionStep,
    onDelta: (delta) => bus.publishDelta(delta),
    onFault: (session, thrown) => log.error(`session ${session}: ${faultText(thrown)}`, { session }),
  });
}

/**
 * Takes up the work of what is pending, and of these sessions. Holds and parks are of the settings under which they were
 * stored; who wants what by now is known only with the sessions.
 */
export async function beginWork(
  core: Core,
  sessions: readonly string[],
  settings: () => Settings,
): Promise<void> {
  await core.registry.start(sessions);
  applySettings(core, settings());
}

/** A core takes the place of another, which may have been told of something since this one was built. */
export function goOnFrom({ guard, gate }: Core, before: Core): void {
  guard.goOnFrom(before.guard);
  gate.goOnFrom(before.gate);
}

/**
 * Another revision is in force: what the core runs under may be another now. In a drain nothing is done: who wants what
 * is not known without sessions, and the next core begins with it.
 */
export function applySettings({ guard, gate, registry }: Core, settings: Settings): void {
  if (gate.isClosed) return;
  guard.forgetUnwanted();
  registry.rollOut();
  gate.forgetUnwanted((scope) => mayBeMet(settings, registry, scope));
}

/** Whether any provider of the settings, or what a session wants, can run into a park of this scope. */
function mayBeMet(settings: Settings, registry: SessionRegistry, scope: string): boolean {
  if (!registry.isStarted) return true;
  const isMet = ({ config }: Candidate): boolean => {
    const { endpoint, binding } = identityOf(config);
    return endpoint === scope || binding === scope;
  };
  if (Object.keys(settings.providers).some((name) => isMet(bindingOf(settings, followerOf(name)))))
    return true;
  for (const session of registry.loaded()) if (isMet(session.wanted)) return true;
  return false;
}

/** Whether a binding is one that the settings name first or as a fallback, or that a session wants. */
function isWanted(settings: Settings, registry: SessionRegistry, identity: string): boolean {
  if (settings.reload.guard === "off") return false;
  const names = [settings.provider, ...settings.fallback];
  return (
    names.some((name) => identityOf(bindingOf(settings, followerOf(name)).config).binding === identity) ||
    registry.isWanted(identity)
  );
}

/** A session that sets nothing for itself but its provider. */
function followerOf(provider: string): BindingInputs {
  return { overrides: { provider, model: null, mode: null }, system: null };
}
