import type { Cancel, Clock } from "../core/clock.ts";
import { isoTime } from "../core/clock.ts";
import type { NewEvent, WaitReason } from "../core/events.ts";
import { type Admission, type Circumstances, type Go, admissionOf, isKeptBack } from "./admission.ts";
import type { Budget } from "./budget.ts";
import type { Candidate } from "./candidate.ts";
import type { Guard } from "./guard.ts";
import { identityOf } from "./identity.ts";
import type { Park, Parks } from "./parks.ts";
import type { Consequence, Permit, Verdict } from "./permit.ts";
import { Lane, type Waiter, lowestOf } from "./waiting-line.ts";

/** The live settings the gate goes by. */
export interface GateLimits {
  turnsPerProvider: number;
  /** 0: no limit. */
  tokensPerDay: number;
  /** First wait of a park whose length nobody named. */
  retryMs: number;
}

/** A wish to take a turn. */
export interface AdmitRequest<C extends Candidate> {
  /** Asked anew at each decision, so that an edit is seen by those who wait. Never empty. */
  candidates: () => readonly [C, ...C[]];
  /** Leaves the queue. */
  signal: AbortSignal;
  /** The turn was in flight when the daemon crashed: of those one at a time goes through, to find out who it was. */
  isSuspect?: boolean;
  /** Called when the session has to wait, and again when the reason changes. */
  onWait: (reason: WaitReason, until: number | null) => void;
}

const nothing: Consequence = { kind: "none" };

/**
 * Lets turns through: canaries of the guard, parks with their scope, slots per provider in the order of asking,
 * tokens a day. Its run loop is `#pump`, called whenever anything it goes by has changed; it makes no call itself.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #limits: () => GateLimits;
  readonly #tell: (event: NewEvent) => void;
  readonly #budget: Budget;
  readonly #parks: Parks;
  readonly #guard: Guard;
  readonly #lanes = new Map<string, Lane>();
  readonly #inFlight = new Map<string, number>();
  #nextTicket = 1;
  #hasSuspect = false;
  #cancelTimer: Cancel | undefined;
  #isPumping = false;
  #isClosed = false;

  constructor(parts: {
    clock: Clock;
    limits: () => GateLimits;
    tell: (event: NewEvent) => void;
    budget: Budget;
    parks: Parks;
    guard: Guard;
  }) {
    this.#clock = parts.clock;
    this.#limits = parts.limits;
    this.#tell = parts.tell;
    this.#budget = parts.budget;
    this.#parks = parts.parks;
    this.#guard = parts.guard;
  }

  /** Resolves with a permit when the turn may start; undefined when `signal` was aborted before. */
  admit<C extends Candidate>(request: AdmitRequest<C>): Promise<Permit<C> | undefined> {
    if (request.signal.aborted) return Promise.resolve(undefined);
    const ticket = this.#nextTicket++;
    const { isSuspect = false } = request;
    const lane = this.#laneOf(request.candidates()[0], isSuspect);
    return new Promise((resolve) => {
      const leave = (): void => {
        lane.remove(ticket);
        resolve(undefined);
      };
      request.signal.addEventListener("abort", leave, { once: true });
      lane.add(ticket, {
        candidates: request.candidates,
        isSuspect,
        grant: (admission) => {
          request.signal.removeEventListener("abort", leave);
          resolve(this.#permit<C>(admission, isSuspect));
        },
        onWait: request.onWait,
      });
      this.#pump();
    });
  }

  /** A permit where a turn may start at once, and it is nobody's first after a park; undefined where it may not. */
  admitNow<C extends Candidate>(candidates: readonly [C, ...C[]]): Permit<C> | undefined {
    const waiter: Pick<Waiter, "candidates" | "isSuspect"> = {
      candidates: () => candidates,
      isSuspect: false,
    };
    const decision = this.#decide(waiter);
    if (decision.kind === "wait" || decision.probes.length > 0) return undefined;
    this.#begin(waiter, decision);
    return this.#permit<C>(decision, false);
  }

  /** Takes the place of the one before it, in which no turn runs any more. */
  goOnFrom(before: Gate): void {
    this.#parks.goOnFrom(before.#parks);
  }

  /** Looks again at everybody who waits: the limits or the settings have changed. */
  reconsider(): void {
    this.#pump();
  }

  /** Ends every park; each is tried again at once, by one turn first. */
  releaseParks(): void {
    this.#parks.release(this.#clock.now());
    this.#pump();
  }

  /** Ends the parks that nobody can run into any more: no provider has such a scope. */
  forgetUnwanted(isWanted: (scope: string) => boolean): void {
    this.#parks.forgetUnwanted(isWanted, this.#clock.now());
    this.#pump();
  }

  /** Whether it lets nobody through any more, whoever was let through and has not begun yet. */
  get isClosed(): boolean {
    return this.#isClosed;
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
    return [...this.#parks.all()].map((park) => ({ ...park, sessions: this.#waitingFor(park) }));
  }

  #waitingFor(park: Park): number {
    let sessions = 0;
    for (const lane of this.#lanes.values()) {
      const { first } = lane;
      if (first && this.#parks.over(first.candidates()[0].config).some((over) => over.scope === park.scope))
        sessions += lane.size;
    }
    return sessions;
  }

  /** Those who want the same first: where the head of a lane has to wait, all of it has to. */
  #laneOf({ provider, config }: Candidate, isSuspect: boolean): Lane {
    const name = `${identityOf(config).binding} ${provider}${isSuspect ? " suspect" : ""}`;
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane = new Lane();
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Not entered twice: what is changed by a decision is seen by the round that is under way. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      this.#round();
    } finally {
      this.#isPumping = false;
    }
    this.#arm();
  }

  #round(): void {
    const open = new Set(this.#lanes.values());
    for (let next = lowestOf(open); next; next = lowestOf(open)) {
      const { lane, ticket, waiter } = next;
      const decision = this.#decide(waiter);
      if (decision.kind === "wait") {
        open.delete(lane);
        lane.tell(decision.reason, decision.until);
      } else {
        lane.remove(ticket);
        this.#begin(waiter, decision);
        waiter.grant(decision);
      }
    }
    for (const [name, lane] of this.#lanes) if (lane.size === 0) this.#lanes.delete(name);
  }

  #begin({ isSuspect }: Pick<Waiter, "isSuspect">, { candidate, probes }: Go): void {
    this.#parks.probe(probes);
    if (isSuspect) this.#hasSuspect = true;
    this.#guard.begin(candidate.config);
    this.#count(candidate.provider, 1);
  }

  #decide({ candidates, isSuspect }: Pick<Waiter, "candidates" | "isSuspect">): Admission {
    if (this.#isClosed) return { kind: "wait", reason: "drain", until: null };
    if (isSuspect && this.#hasSuspect) return { kind: "wait", reason: "slot", until: null };
    const spent = this.#spent();
    if (spent !== undefined) return { kind: "wait", reason: "budget", until: spent };
    return admissionOf(candidates(), this.#circumstances());
  }

  #circumstances(): Circumstances {
    const { turnsPerProvider } = this.#limits();
    return {
      now: this.#clock.now(),
      guard: this.#guard,
      parks: this.#parks,
      hasSlot: (provider) => this.inFlight(provider) < turnsPerProvider,
    };
  }

  /** Until when the day's tokens are used up; undefined where they are not. */
  #spent(): number | undefined {
    const { tokensPerDay: limit } = this.#limits();
    const spent = this.#budget.exhausted(limit, this.#clock.now());
    if (spent?.isNews === true) {
      const data = { limit, used: spent.used, until: isoTime(spent.until) };
      this.#tell({ type: "budget.reached", data });
    }
    return spent?.until;
  }

  /** Whether whoever was let through would be let through now, himself being counted. */
  #mayStillStart({ candidate, passedOver, probes }: Go): boolean {
    const { provider, config } = candidate;
    const now = this.#clock.now();
    if (this.#isClosed || this.#spent() !== undefined) return false;
    const hold = this.#guard.holdOver(config);
    const isHeld = hold !== undefined && (hold.tryAt === null || hold.tryAt > now);
    // 1. A park that began since is for whoever asks at its end.
    const isOwn = ({ scope }: Park): boolean => probes.some((park) => park.scope === scope);
    const isParked = this.#parks.over(config).some((park) => park.until > now || !isOwn(park));
    if (isHeld || isParked || this.inFlight(provider) > this.#limits().turnsPerProvider) return false;
    const circumstances = this.#circumstances();
    return passedOver.every((each) => isKeptBack(each, circumstances));
  }

  #permit<C extends Candidate>(admission: Go, isSuspect: boolean): Permit<C> {
    const { probes: probed } = admission;
    // 1. It is one of the candidates that were asked with.
    const candidate = admission.candidate as C;
    const startedAt = this.#clock.now();
    let isReleased = false;
    return {
      candidate,
      isGood: () => this.#mayStillStart(admission),
      release: (verdict) => {
        if (isReleased) return nothing;
        isReleased = true;
        this.#count(candidate.provider, -1);
        if (isSuspect) this.#hasSuspect = false;
        this.#parks.probed(probed);
        const consequence = this.#judge(candidate, probed, startedAt, verdict);
        this.#pump();
        return consequence;
      },
    };
  }

  #judge(candidate: Candidate, probed: readonly Park[], startedAt: number, verdict: Verdict): Consequence {
    const { provider, config } = candidate;
    const now = this.#clock.now();
    const isCanary = !this.#guard.isProven(config) || this.#guard.holdOver(config) !== undefined;
    this.#guard.end(config);
    switch (verdict.kind) {
      case "none":
        return nothing;
      case "answered":
        this.#budget.add(verdict.usage, now);
        this.#guard.prove(provider, config, now);
        this.#parks.clear(probed, undefined);
        return nothing;
      case "failed": {
        const { failure } = verdict;
        this.#parks.clear(probed, failure);
        if (isCanary && this.#guard.refuse(provider, config, failure, now)) return { kind: "held" };
        const { retryMs } = this.#limits();
        const until = this.#parks.add(provider, config, failure, { startedAt, now, retryMs });
        return until === undefined ? nothing : { kind: "parked", until };
      }
    }
    verdict satisfies never;
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
    const times = [
      ...[...this.#parks.all()].map((park) => park.until),
      ...[...this.#guard.holds()].flatMap((hold) => hold.tryAt ?? []),
    ].filter((at) => at > now);
    if (this.#budget.exhausted(this.#limits().tokensPerDay, now)) times.push(this.#budget.nextDayAt(now));
    if (times.length > 0) this.#cancelTimer = this.#clock.after(Math.min(...times) - now, () => this.#pump());
  }
}
