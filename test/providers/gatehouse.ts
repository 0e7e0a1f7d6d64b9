import type { FailureKind, NewEvent, WaitReason } from "../../src/core/events.ts";
import { Budget } from "../../src/providers/budget.ts";
import type { Candidate } from "../../src/providers/candidate.ts";
import { Gate, type GateLimits } from "../../src/providers/gate.ts";
import { Guard, type GuardMode, type Hold, type ProvenBinding } from "../../src/providers/guard.ts";
import { type Park, Parks } from "../../src/providers/parks.ts";
import type { Permit, Verdict } from "../../src/providers/permit.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { configOf } from "./calling.ts";

/** Somebody at the gate: what he was told, and his permit once he has one. */
export interface Visitor {
  waits: [reason: WaitReason, until: number | null][];
  permit: Permit<Candidate> | undefined;
  /** He was sent away by his own abort. */
  isGone: boolean;
  leave: () => void;
}

/** A way to take a turn at `http://NAME.example`. */
export function candidate(name: string, more: { key?: string; model?: string } = {}): Candidate {
  const { key = "k", model = "m" } = more;
  return {
    provider: name,
    config: configOf("openai", { endpoint: `http://${name}.example`, key, model }),
  };
}

/** A gate with its guard and parks, and what they said and stored. */
export class Gatehouse {
  readonly clock = new ManualClock(Date.parse("2026-03-01T12:00:00.000Z"));
  readonly told: NewEvent[] = [];
  readonly parks = new Map<string, Park>();
  readonly holds = new Map<string, Hold>();
  readonly proven: ProvenBinding[] = [];
  readonly limits: GateLimits = { turnsPerProvider: 4, tokensPerDay: 0, retryMs: 1000 };
  mode: GuardMode = "endpoint";
  /** Whether anybody wants what is held. */
  isWanted = true;
  /** How often the guard said that what sessions should run under may be another. */
  changes = 0;
  gate: Gate;
  guard: Guard;

  constructor() {
    ({ gate: this.gate, guard: this.guard } = this.#build());
  }

  /** Another start of the daemon, on what is stored. */
  restart(): void {
    ({ gate: this.gate, guard: this.guard } = this.#build());
  }

  /** Somebody comes who would take any of these, in this order. */
  async come(...candidates: [Candidate, ...Candidate[]]): Promise<Visitor> {
    const leaving = new AbortController();
    const visitor: Visitor = {
      waits: [],
      permit: undefined,
      isGone: false,
      leave: () => leaving.abort(),
    };
    const admitted = this.gate.admit({
      candidates: () => candidates,
      signal: leaving.signal,
      onWait: (reason, until) => visitor.waits.push([reason, until]),
    });
    admitted.then(
      (permit) => {
        visitor.permit = permit;
        visitor.isGone = permit === undefined;
      },
      () => {},
    );
    await this.clock.settle();
    return visitor;
  }

  /** Lets his turn end. */
  async end(visitor: Visitor, verdict: Verdict = answered()): Promise<void> {
    visitor.permit?.release(verdict);
    await this.clock.settle();
  }

  /** Makes turns of this kind proven. */
  async prove(...candidates: Candidate[]): Promise<void> {
    for (const each of candidates) await this.end(await this.come(each));
  }

  #build(): { gate: Gate; guard: Guard } {
    const guard = new Guard({
      random: () => 0.5,
      mode: () => this.mode,
      retryMs: () => this.limits.retryMs,
      stored: { proven: this.proven, holds: [...this.holds.values()] },
      store: {
        prove: (proven) => this.proven.push(proven),
        hold: (identity, hold, events) => {
          keepIn(this.holds, identity, hold);
          this.told.push(...events);
        },
      },
      countWanting: () => ({ sessions: 3, runningUnder: null }),
      isWanted: () => this.isWanted,
      onChange: () => (this.changes += 1),
    });
    const parks = new Parks({
      random: () => 0.5,
      stored: [...this.parks.values()],
      store: (scope, park, events) => {
        keepIn(this.parks, scope, park);
        this.told.push(...events);
      },
    });
    const gate = new Gate({
      clock: this.clock,
      limits: () => this.limits,
      tell: (event) => this.told.push(event),
      budget: new Budget(0, this.clock.now()),
      parks,
      guard,
    });
    return { gate, guard };
  }
}

function keepIn<T>(kept: Map<string, T>, name: string, value: T | null): void {
  if (value === null) kept.delete(name);
  else kept.set(name, value);
}

/** A turn that ended well and cost so many tokens. */
export function answered(tokens = 0): Verdict {
  return { kind: "answered", usage: { inputTokens: tokens, outputTokens: 0 } };
}

/** A turn that failed. */
export function refused(kind: FailureKind, retryAfterMs?: number): Verdict {
  const failure = { kind, message: kind, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { kind: "failed", failure };
}
