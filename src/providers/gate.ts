import type { Cancel, Clock } from "../core/clock.ts";
import { isoTime } from "../core/clock.ts";
import type { NewEvent, Usage, WaitReason } from "../core/events.ts";
import type { Random } from "../core/ids.ts";
import { Budget } from "./budget.ts";
import { type Park, parkMs, parkReason, parkScopes } from "./park.ts";
import type { Failure, ProviderConfig } from "./provider.ts";

/** One way a session could take its turn; its first choice comes first, fallbacks after it. */
export interface Candidate {
  /** The name in `providers`. */
  provider: string;
  config: ProviderConfig;
}

/** The live settings the gate goes by. */
export interface GateLimits {
  turnsPerProvider: number;
  /** 0: no limit. */
  tokensPerDay: number;
  /** First wait of a park whose length nobody named. */
  retryMs: number;
}

export interface AdmitRequest<C extends Candidate> {
  /** Asked anew at each decision, so that an edit is seen by those who wait. Never empty. */
  candidates: () => readonly [C, ...C[]];
  /** Leaves the queue. */
  signal: AbortSignal;
  /** Called when the session has to wait, and again when the reason changes. */
  onWait: (reason: WaitReason, until: number | null) => void;
}

/** How the call that a permit was for ended. */
export type Verdict =
  | { kind: "answered"; usage: Usage }
  | { kind: "failed"; failure: Failure }
  /** Aborted, or never made: it says nothing of the provider. */
  | { kind: "none" };

/** The right to make one call. */
export interface Permit<C extends Candidate> {
  readonly candidate: C;
  /** Gives the slot back; the answer is until when the provider is parked by this verdict, or null. Once only. */
  release(verdict: Verdict): number | null;
}

interface Waiter {
  candidates: () => readonly [Candidate, ...Candidate[]];
  grant: (candidate: Candidate, probed: Park | undefined) => void;
  onWait: (reason: WaitReason, until: number | null) => void;
  told: string;
}

/** Those who want the same first: where its head has to wait, all of it has to. In the order of asking. */
type Lane = Map<number, Waiter>;

type Decision =
  | { kind: "go"; candidate: Candidate; probes: Park | undefined }
  | { kind: "wait"; reason: WaitReason; until: number | null };

/**
 * Lets turns through: slots per provider in the order of asking, parks with their scope, tokens a day. Its run loop
 * is `#pump`, called whenever anything it goes by has changed; it makes no call itself.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: () => GateLimits;
  readonly #tell: (event: NewEvent) => void;
  readonly #budget: Budget;
  readonly #lanes = new Map<string, Lane>();
  readonly #parks = new Map<string, Park>();
  readonly #inFlight = new Map<string, number>();
  #nextTicket = 1;
  #cancelTimer: Cancel | undefined;
  #isClosed = false;

  constructor(parts: {
    clock: Clock;
    random: Random;
    limits: () => GateLimits;
    tell: (event: NewEvent) => void;
    /** Tokens already used on the present UTC day. */
    tokensToday: number;
  }) {
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#limits = parts.limits;
    this.#tell = parts.tell;
    this.#budget = new Budget(parts.tokensToday, parts.clock.now());
  }

  /** Resolves with a permit when the turn may start; undefined when `signal` was aborted before. */
  admit<C extends Candidate>(request: AdmitRequest<C>): Promise<Permit<C> | undefined> {
    if (request.signal.aborted) return Promise.resolve(undefined);
    const ticket = this.#nextTicket++;
    const lane = this.#laneOf(request.candidates()[0]);
    return new Promise((resolve) => {
      const leave = (): void => {
        lane.delete(ticket);
        resolve(undefined);
      };
      request.signal.addEventListener("abort", leave, { once: true });
      lane.set(ticket, {
        candidates: request.candidates,
        grant: (candidate, probed) => {
          request.signal.removeEventListener("abort", leave);
          // The candidate is one of `request.candidates()`, chosen by `#decide` in this very call.
          resolve(this.#permit(candidate as C, probed));
        },
        onWait: request.onWait,
        told: "",
      });
      this.#pump();
    });
  }

  /** Looks again at everybody who waits: the limits or the settings have changed. */
  reconsider(): void {
    this.#pump();
  }

  /** Ends every park; each is tried again at once, by one turn first. */
  releaseParks(): void {
    for (const park of this.#parks.values()) park.until = Math.min(park.until, this.#clock.now());
    this.#pump();
  }

  /** Lets nobody through any more; those who wait are told `drain`. */
  close(): void {
    this.#isClosed = true;
    this.#pump();
    this.#cancelTimer?.();
  }

  /** Turns in flight under a provider's name. */
  inFlight(provider: string): number {
    return this.#inFlight.get(provider) ?? 0;
  }

  /** Turns in flight in all. */
  totalInFlight(): number {
    return [...this.#inFlight.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The parks of now, with how many sessions wait for each. */
  parks(): (Readonly<Park> & { sessions: number })[] {
    return [...this.#parks].map(([scope, park]) => {
      let sessions = 0;
      for (const lane of this.#lanes.values()) {
        const first = firstOf(lane)?.candidates()[0];
        const scopes = first && parkScopes(first.config);
        if (scopes && (scopes.wide === scope || scopes.narrow === scope)) sessions += lane.size;
      }
      return { ...park, sessions };
    });
  }

  #laneOf(candidate: Candidate): Lane {
    const name = JSON.stringify([candidate.provider, parkScopes(candidate.config).narrow]);
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane: Lane = new Map();
    this.#lanes.set(name, lane);
    return lane;
  }

  #pump(): void {
    const open = new Set(this.#lanes.values());
    for (let lane = lowestOf(open); lane; lane = lowestOf(open)) {
      const [ticket, waiter] = firstEntryOf(lane);
      const decision = this.#decide(waiter.candidates());
      if (decision.kind === "wait") {
        open.delete(lane);
        for (const each of lane.values()) tellWait(each, decision.reason, decision.until);
      } else {
        lane.delete(ticket);
        if (decision.probes) decision.probes.isProbed = true;
        this.#count(decision.candidate.provider, +1);
        waiter.grant(decision.candidate, decision.probes);
      }
    }
    for (const [name, lane] of this.#lanes) if (lane.size === 0) this.#lanes.delete(name);
    this.#arm();
  }

  /** Who waits for a fallback too waits for the first choice: that is what the user asked for. */
  #decide(candidates: readonly [Candidate, ...Candidate[]]): Decision {
    if (this.#isClosed) return { kind: "wait", reason: "drain", until: null };
    const now = this.#clock.now();
    const { turnsPerProvider, tokensPerDay } = this.#limits();
    const spent = this.#budget.exhausted(tokensPerDay, now);
    if (spent) {
      if (spent.isNews)
        this.#tell({
          type: "budget.reached",
          data: { limit: tokensPerDay, used: spent.used, until: isoTime(spent.until) },
        });
      return { kind: "wait", reason: "budget", until: spent.until };
    }
    let wait: Decision | undefined;
    for (const candidate of candidates) {
      const park = this.#parkOver(candidate.config);
      if (park && (park.until > now || park.isProbed))
        wait ??= { kind: "wait", reason: park.reason, until: park.until > now ? park.until : null };
      else if (this.inFlight(candidate.provider) >= turnsPerProvider)
        return wait ?? { kind: "wait", reason: "slot", until: null };
      else return { kind: "go", candidate, probes: park };
    }
    return wait ?? { kind: "wait", reason: "slot", until: null };
  }

  #parkOver(config: ProviderConfig): Park | undefined {
    const { wide, narrow } = parkScopes(config);
    return this.#parks.get(wide) ?? this.#parks.get(narrow);
  }

  #permit<C extends Candidate>(candidate: C, probed: Park | undefined): Permit<C> {
    const startedAt = this.#clock.now();
    let isReleased = false;
    return {
      candidate,
      release: (verdict) => {
        if (isReleased) return null;
        isReleased = true;
        this.#count(candidate.provider, -1);
        const until = this.#judge(candidate, probed, startedAt, verdict);
        this.#pump();
        return until;
      },
    };
  }

  #judge(candidate: Candidate, probed: Park | undefined, startedAt: number, verdict: Verdict): number | null {
    if (probed) probed.isProbed = false;
    if (verdict.kind === "none") return null;
    if (verdict.kind === "answered") this.#budget.add(verdict.usage, this.#clock.now());
    const reason = verdict.kind === "failed" ? parkReason(verdict.failure) : undefined;
    if (verdict.kind === "failed" && reason) return this.#park(candidate, verdict.failure, startedAt).until;
    if (probed) this.#unpark(candidate.config, probed);
    return null;
  }

  #park(candidate: Candidate, failure: Failure, startedAt: number): Park {
    const reason = parkReason(failure) ?? "unreachable";
    const { wide, narrow } = parkScopes(candidate.config);
    const scope = reason === "not_found" ? narrow : wide;
    const now = this.#clock.now();
    const before = this.#parks.get(scope);
    // 1. A turn that was already under way when the park began tells nothing new: the later time holds.
    const isNews = before === undefined || startedAt >= before.since;
    const step = before ? before.step + (isNews ? 1 : 0) : 0;
    const until = now + parkMs(failure, reason, step, this.#limits().retryMs, this.#random);
    const { provider, config } = candidate;
    const park: Park = {
      provider,
      endpoint: config.endpoint,
      model: reason === "not_found" ? config.model : null,
      reason,
      since: before && !isNews ? before.since : now,
      until: before && !isNews ? Math.max(before.until, until) : until,
      step,
      isProbed: before?.isProbed ?? false,
    };
    this.#parks.set(scope, park);
    if (isNews)
      this.#tell({
        type: "provider.parked",
        data: { provider, endpoint: park.endpoint, model: park.model, reason, until: isoTime(park.until) },
      });
    return park;
  }

  #unpark(config: ProviderConfig, park: Park): void {
    const { wide, narrow } = parkScopes(config);
    for (const scope of [wide, narrow]) if (this.#parks.get(scope) === park) this.#parks.delete(scope);
    const { provider, endpoint, model } = park;
    this.#tell({ type: "provider.ready", data: { provider, endpoint, model } });
  }

  #count(provider: string, change: 1 | -1): void {
    this.#inFlight.set(provider, this.inFlight(provider) + change);
  }

  /** One timer, for the next time at which waiting may end by itself. */
  #arm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#isClosed || this.#lanes.size === 0) return;
    const now = this.#clock.now();
    const times = [...this.#parks.values()].map((park) => park.until).filter((until) => until > now);
    if (this.#budget.exhausted(this.#limits().tokensPerDay, now)) times.push(this.#budget.nextDayAt(now));
    if (times.length > 0) this.#cancelTimer = this.#clock.after(Math.min(...times) - now, () => this.#pump());
  }
}

function tellWait(waiter: Waiter, reason: WaitReason, until: number | null): void {
  const told = `${reason} ${until}`;
  if (waiter.told === told) return;
  waiter.told = told;
  waiter.onWait(reason, until);
}

function firstOf(lane: Lane): Waiter | undefined {
  return lane.values().next().value;
}

function firstEntryOf(lane: Lane): [number, Waiter] {
  const first = lane.entries().next().value;
  if (!first) throw new Error("an empty lane was taken for the lowest");
  return first;
}

/** The lane whose head asked first; lanes that ran empty do not count. */
function lowestOf(lanes: Set<Lane>): Lane | undefined {
  let lowest: Lane | undefined;
  let lowestTicket = Infinity;
  for (const lane of lanes) {
    const ticket = lane.keys().next().value;
    if (ticket !== undefined && ticket < lowestTicket) {
      lowest = lane;
      lowestTicket = ticket;
    }
  }
  return lowest;
}
