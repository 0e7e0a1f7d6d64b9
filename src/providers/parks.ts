import { isoTime } from "../core/clock.ts";
import type { NewEvent } from "../core/events.ts";
import type { Random } from "../core/ids.ts";
import { identityOf } from "./identity.ts";
import { parkMs, parkReason } from "./park.ts";
import type { Failure, ProviderConfig } from "./provider.ts";

/**
 * Nobody is let through to an endpoint and key (for `not_found`: and model) until a time. Entered when a turn
 * there fails with a park reason; at `until` one turn goes first, the probe; left when a turn that was let through
 * after `since` ends in anything else. It survives a restart.
 */
export interface Park {
  scope: string;
  /** The name under which the failing turn knew the provider. */
  provider: string;
  endpoint: string;
  /** The one model it concerns; null: all of this endpoint and key. */
  model: string | null;
  reason: "rate_limited" | "unreachable" | "auth" | "not_found";
  since: number;
  until: number;
  /** How often in a row it was parked. */
  step: number;
}

/** The parks of now. A stored copy follows every change: `store` gets it with the event that tells of it. */
export class Parks {
  readonly #random: Random;
  readonly #store: (scope: string, park: Park | null, events: readonly NewEvent[]) => void;
  readonly #parks = new Map<string, Park>();
  /** Scopes whose probe is under way. */
  readonly #probed = new Set<string>();

  constructor(parts: {
    random: Random;
    stored: readonly Park[];
    store: (scope: string, park: Park | null, events: readonly NewEvent[]) => void;
  }) {
    this.#random = parts.random;
    this.#store = parts.store;
    for (const park of parts.stored) this.#parks.set(park.scope, park);
  }

  /** Takes the place of those before, over the same store: what ended or changed since these were made did so. */
  goOnFrom(before: Parks): void {
    this.#parks.clear();
    for (const [scope, park] of before.#parks) this.#parks.set(scope, park);
  }

  /** The parks that keep turns of this configuration back, or that its next turn would probe; the longest first. */
  over(config: ProviderConfig): readonly Park[] {
    const { endpoint, binding } = identityOf(config);
    const parks = [this.#parks.get(endpoint), this.#parks.get(binding)];
    return parks.filter((park) => park !== undefined).toSorted((a, b) => b.until - a.until);
  }

  /** Whether a turn that went first is under way in any of these. */
  isProbed(parks: readonly Park[]): boolean {
    return parks.some(({ scope }) => this.#probed.has(scope));
  }

  /** A turn goes first at the end of these parks. */
  probe(parks: readonly Park[]): void {
    for (const { scope } of parks) this.#probed.add(scope);
  }

  /** The probe has ended, well or not, or was never made. */
  probed(parks: readonly Park[]): void {
    for (const { scope } of parks) this.#probed.delete(scope);
  }

  /** The probe got an answer: ends the parks that it speaks against. An unknown model is an answer of its endpoint. */
  clear(probed: readonly Park[], failure: Failure | undefined): void {
    const reason = failure && parkReason(failure);
    for (const park of probed)
      if (reason === undefined || (reason === "not_found" && park.model === null)) this.#remove(park);
  }

  /** Parks after a failure; the answer says until when, undefined where this failure does not park. */
  add(
    provider: string,
    config: ProviderConfig,
    failure: Failure,
    turn: { startedAt: number; now: number; retryMs: number },
  ): number | undefined {
    const reason = parkReason(failure);
    if (!reason) return undefined;
    const identity = identityOf(config);
    const scope = reason === "not_found" ? identity.binding : identity.endpoint;
    const before = this.#parks.get(scope);
    // 1. A turn that was already under way when the park began tells nothing new: the later time holds.
    const isNews = before === undefined || turn.startedAt > before.since;
    const step = before ? before.step + (isNews ? 1 : 0) : 0;
    const until = turn.now + parkMs(failure, reason, step, turn.retryMs, this.#random);
    const { endpoint } = config;
    const model = reason === "not_found" ? config.model : null;
    const park: Park =
      before && !isNews
        ? prolonged(before, reason, until)
        : { scope, provider, endpoint, model, reason, since: turn.now, until, step };
    this.#parks.set(scope, park);
    const data = { provider, endpoint, model, reason, until: isoTime(park.until) };
    this.#store(scope, park, isNews ? [{ type: "provider.parked", data }] : []);
    return park.until;
  }

  /** Lets each be probed at once: somebody says that the cause is gone. */
  release(now: number): void {
    for (const park of this.#parks.values()) {
      const released = { ...park, until: Math.min(park.until, now) };
      this.#parks.set(park.scope, released);
      this.#store(park.scope, released, []);
    }
  }

  /** All of them. */
  all(): Iterable<Park> {
    return this.#parks.values();
  }

  /** Ends those that nobody can run into any more, unless their time has still to come and may bring them back. */
  forgetUnwanted(isWanted: (scope: string) => boolean, now: number): void {
    for (const park of this.#parks.values()) {
      const isByHand = park.reason === "auth" || park.reason === "not_found";
      if ((isByHand || park.until <= now) && !isWanted(park.scope)) this.#remove(park);
    }
  }

  #remove(park: Park): void {
    if (!this.#parks.delete(park.scope)) return;
    const { provider, endpoint, model } = park;
    this.#store(park.scope, null, [{ type: "provider.ready", data: { provider, endpoint, model } }]);
  }
}

/** The later of two times holds, with its reason. */
function prolonged(park: Park, reason: Park["reason"], until: number): Park {
  return until > park.until ? { ...park, reason, until } : park;
}
