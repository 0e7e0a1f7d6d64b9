import type { Usage } from "../core/events.ts";

const dayMs = 86_400_000;

/** Tokens used on the present UTC day (`limits.tokensPerDay`), held in memory beside the store's own count. */
export class Budget {
  #day: number;
  #used: number;
  /** The day and the limit that were last told to be used up. */
  #told = { day: -1, limit: 0 };

  constructor(usedToday: number, now: number) {
    this.#used = usedToday;
    this.#day = Math.floor(now / dayMs);
  }

  /** Books what a turn cost. */
  add(usage: Usage, now: number): void {
    this.#turnTo(now);
    this.#used += usage.inputTokens + usage.outputTokens;
  }

  /**
   * Whether nothing may start any more today: what was used, until when, and whether it is the first answer of its
   * kind on this day and for this limit. `limit` 0 is no limit.
   */
  exhausted(limit: number, now: number): { used: number; until: number; isNews: boolean } | undefined {
    this.#turnTo(now);
    if (limit === 0 || this.#used < limit) return undefined;
    const isNews = this.#told.day !== this.#day || this.#told.limit !== limit;
    this.#told = { day: this.#day, limit };
    return { used: this.#used, until: this.nextDayAt(now), isNews };
  }

  /** The coming midnight, UTC. */
  nextDayAt(now: number): number {
    return (Math.floor(now / dayMs) + 1) * dayMs;
  }

  #turnTo(now: number): void {
    const day = Math.floor(now / dayMs);
    if (day === this.#day) return;
    this.#day = day;
    this.#used = 0;
  }
}
