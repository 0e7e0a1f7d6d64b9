import type { NewEvent, ParkReason } from "../core/events.ts";
import type { Random } from "../core/ids.ts";
import { backoffMs } from "./backoff.ts";
import type { Candidate } from "./candidate.ts";
import { identityOf } from "./identity.ts";
import type { Failure, ProviderConfig } from "./provider.ts";

/** An endpoint, key and model under which a turn ended well in this data folder. */
export interface ProvenBinding {
  identity: string;
  provider: string;
  kind: string;
  endpoint: string;
  model: string;
  at: number;
}

/**
 * A binding whose canary was refused. Entered when the canary ends in `auth`, `not_found` or `unreachable`. While it
 * lasts sessions that want the binding run under an older one, or wait. Left when a value in the binding changes so
 * that nobody wants it, by a release, or when a turn under it ends well. It survives a restart.
 */
export interface Hold {
  identity: string;
  provider: string;
  endpoint: string;
  model: string;
  reason: ParkReason;
  since: number;
  /** How often in a row it was tried. */
  step: number;
  /** When one turn tries it again; null: not by itself. */
  tryAt: number | null;
  /** Whether sessions go back meanwhile; after a release they wait. */
  goesBack: boolean;
}

/** How far sessions go back while a binding is held (`reload.guard`). */
export type GuardMode = "endpoint" | "any" | "off";

/** What the guard tells and stores; `events` commit with what they tell of. */
export interface GuardStore {
  prove(proven: ProvenBinding): void;
  hold(identity: string, hold: Hold | null, events: readonly NewEvent[]): void;
}

/**
 * Lets new bindings be tried by one turn at a time, the canary, until one has ended well (contract section 3.5).
 * The idea is that of a canary release: the first refusal is the last, and costs one call.
 */
export class Guard {
  readonly #random: Random;
  readonly #mode: () => GuardMode;
  readonly #retryMs: () => number;
  readonly #store: GuardStore;
  /** How many sessions want a binding, and what they would run under while it is held. */
  readonly #countWanting: (identity: string) => {
    sessions: number;
    runningUnder: { provider: string; model: string } | null;
  };
  readonly #isWanted: (identity: string) => boolean;
  readonly #onChange: () => void;
  readonly #proven = new Map<string, ProvenBinding>();
  /** What was proven in this run of the daemon, keys and all: to go back to where the settings have another key by now. */
  readonly #candidates = new Map<string, Candidate>();
  readonly #holds = new Map<string, Hold>();
  readonly #canaries = new Set<string>();
  /** The session that leaves its older binding to try a held one. */
  readonly #trials = new Map<string, string>();
  /** Released by hand: where the next canary is refused too, sessions wait instead of going back. */
  readonly #insisted = new Set<string>();

  constructor(parts: {
    random: Random;
    mode: () => GuardMode;
    retryMs: () => number;
    stored: { proven: readonly ProvenBinding[]; holds: readonly Hold[] };
    store: GuardStore;
    countWanting: (identity: string) => {
      sessions: number;
      runningUnder: { provider: string; model: string } | null;
    };
    /** Whether the settings name a binding, as chosen or as a fallback, or a session wants it. */
    isWanted: (identity: string) => boolean;
    /** Called when a binding was held or released: what sessions should run under may be another now. */
    onChange: () => void;
  }) {
    this.#random = parts.random;
    this.#mode = parts.mode;
    this.#retryMs = parts.retryMs;
    this.#store = parts.store;
    this.#countWanting = parts.countWanting;
    this.#isWanted = parts.isWanted;
    this.#onChange = parts.onChange;
    for (const proven of parts.stored.proven) this.#proven.set(proven.identity, proven);
    for (const hold of parts.stored.holds) this.#holds.set(hold.identity, hold);
  }

  /** Takes the place of the one before it, over the same store: what that ended since this was made has ended. */
  goOnFrom(before: Guard): void {
    this.#holds.clear();
    for (const [identity, hold] of before.#holds) this.#holds.set(identity, hold);
    for (const [identity, proven] of before.#proven) this.#proven.set(identity, proven);
    for (const identity of before.#insisted) this.#insisted.add(identity);
  }

  get mode(): GuardMode {
    return this.#mode();
  }

  /** Whether a turn under this binding ended well before. */
  isProven(config: ProviderConfig): boolean {
    return this.#proven.has(identityOf(config).binding);
  }

  /** What is known of a binding that was proven. */
  provenBinding(identity: string): ProvenBinding | undefined {
    return this.#proven.get(identity);
  }

  /** What a turn ended well under in this run of the daemon. */
  provenCandidate(identity: string): Candidate | undefined {
    return this.#candidates.get(identity);
  }

  /** The hold on a binding. */
  holdOver(config: ProviderConfig): Hold | undefined {
    return this.#holds.get(identityOf(config).binding);
  }

  /** Whether its canary is under way. */
  hasCanary(config: ProviderConfig): boolean {
    return this.#canaries.has(identityOf(config).binding);
  }

  /** All holds. */
  holds(): Iterable<Hold> {
    return this.#holds.values();
  }

  /** A turn begins under a binding; the answer says whether it is the canary. */
  begin(config: ProviderConfig): boolean {
    const identity = identityOf(config).binding;
    if (this.#proven.has(identity) && !this.#holds.has(identity)) return false;
    this.#canaries.add(identity);
    return true;
  }

  /** The canary has ended; what it says comes by `prove` or `refuse`, or is nothing. */
  end(config: ProviderConfig): void {
    const identity = identityOf(config).binding;
    this.#canaries.delete(identity);
    this.#trials.delete(identity);
  }

  /** Whether a session that went back may try the held binding it wants: the time has come, and nobody else does. */
  takeTrial(config: ProviderConfig, session: string, now: number): boolean {
    const hold = this.holdOver(config);
    if (!hold || !hold.goesBack || hold.tryAt === null || hold.tryAt > now || this.hasCanary(config))
      return false;
    const { identity } = hold;
    if ((this.#trials.get(identity) ?? session) !== session) return false;
    this.#trials.set(identity, session);
    return true;
  }

  /** Whether a session is about to try the held binding. */
  isTrying(config: ProviderConfig, session: string): boolean {
    return this.#trials.get(identityOf(config).binding) === session;
  }

  /** The session tries nothing any more: it is unloaded or deleted. */
  abandonTrials(session: string): void {
    for (const [identity, trying] of this.#trials) if (trying === session) this.#trials.delete(identity);
  }

  /** A turn under the binding ended well. */
  prove(provider: string, config: ProviderConfig, at: number): void {
    const identity = identityOf(config).binding;
    this.#insisted.delete(identity);
    this.#candidates.set(identity, { provider, config });
    if (!this.#proven.has(identity)) {
      const { kind, endpoint, model } = config;
      const proven = { identity, provider, kind, endpoint, model, at };
      this.#proven.set(identity, proven);
      this.#store.prove(proven);
    }
    const hold = this.#holds.get(identity);
    if (!hold) return;
    this.#release(hold);
    this.#onChange();
  }

  /** The canary was refused: holds the binding. False where the guard is off, or the failure is no verdict. */
  refuse(provider: string, config: ProviderConfig, failure: Failure, now: number): boolean {
    const reason = verdictOf(failure);
    if (!reason || this.#mode() === "off") return false;
    const identity = identityOf(config).binding;
    const before = this.#holds.get(identity);
    // 1. Whoever tried it has come to want another: there is nobody to hold it back from.
    if (!this.#isWanted(identity)) {
      if (before) this.#release(before);
      return true;
    }
    const step = before ? before.step + 1 : 0;
    const goesBack = before ? before.goesBack : !this.#insisted.has(identity);
    const tryAt = reason === "unreachable" ? now + backoffMs(step, this.#retryMs(), this.#random) : null;
    const { endpoint, model } = config;
    const since = before?.since ?? now;
    const hold: Hold = { identity, provider, endpoint, model, reason, since, step, tryAt, goesBack };
    this.#holds.set(identity, hold);
    const told = before?.reason === reason ? [] : [this.#heldEvent(hold)];
    this.#store.hold(identity, hold, told);
    this.#onChange();
    return true;
  }

  /** Tries every held binding again at once; where it is refused again, sessions wait instead of going back. */
  releaseAll(): void {
    for (const hold of this.#holds.values()) {
      this.#insisted.add(hold.identity);
      this.#release(hold);
    }
    this.#onChange();
  }

  /** Ends the holds that nobody wants any more; what sessions should run under is for the caller to look at. */
  forgetUnwanted(): void {
    for (const hold of this.#holds.values()) if (!this.#isWanted(hold.identity)) this.#release(hold);
    for (const identity of this.#insisted) if (!this.#isWanted(identity)) this.#insisted.delete(identity);
  }

  #release(hold: Hold): void {
    this.#holds.delete(hold.identity);
    this.#trials.delete(hold.identity);
    const { provider, endpoint, model } = hold;
    this.#store.hold(hold.identity, null, [
      { type: "settings.released", data: { provider, model, endpoint } },
    ]);
  }

  #heldEvent({ identity, provider, model, endpoint, reason }: Hold): NewEvent {
    const { sessions, runningUnder } = this.#countWanting(identity);
    return { type: "settings.held", data: { provider, model, endpoint, reason, sessions, runningUnder } };
  }
}

/** What of a canary's end is a verdict on its binding (contract section 3.5). */
function verdictOf(failure: Failure): ParkReason | undefined {
  const { kind } = failure;
  return kind === "auth" || kind === "not_found" || kind === "unreachable" ? kind : undefined;
}
