import type { Cancel, Clock } from "../core/clock.ts";
import type { EventListener, StoredEvent } from "../core/events.ts";
import type { StoreTotals } from "../store/store.ts";

/** What happened in a step of time that ended at `at`. */
export interface ActivityStep {
  at: number;
  /** Turns that ended well. */
  turns: number;
  /** Messages that failed, and attempts that will be made again. */
  failures: number;
  /** Messages that waited at its end. */
  pending: number;
}

/** The length of a step. */
export const activityStepMs = 15_000;
/** An hour. */
const mostKept = 240;

/**
 * What happened of late, step by step, for who looks only now: a chart that begins with the page would be empty when
 * it is wanted. Kept in memory; it begins anew with the process.
 */
export class Activity implements EventListener {
  readonly #clock: Clock;
  readonly #totals: () => Promise<Pick<StoreTotals, "turns" | "pending">>;
  readonly #steps: ActivityStep[] = [];
  #failures = 0;
  #turnsBefore: number | undefined;
  #cancel: Cancel;

  /** `totals` may reject while the store cannot be read: that step is left out. */
  constructor(parts: { clock: Clock; totals: () => Promise<Pick<StoreTotals, "turns" | "pending">> }) {
    this.#clock = parts.clock;
    this.#totals = parts.totals;
    this.#cancel = this.#plan();
  }

  /** The steps of the last hour, oldest first. */
  get steps(): readonly ActivityStep[] {
    return this.#steps;
  }

  stored(events: readonly StoredEvent[]): void {
    for (const { type, data } of events)
      if (type === "message.failed" || (type === "message.requeued" && data.includes('"error":')))
        this.#failures += 1;
  }

  delta(): void {
    // A piece of a reply ends nothing.
  }

  /** Ends it. */
  close(): void {
    this.#cancel();
    this.#cancel = () => {};
  }

  #plan(): Cancel {
    return this.#clock.after(activityStepMs, () => {
      this.#cancel = this.#plan();
      this.#totals().then(
        (totals) => this.#add(totals),
        () => {},
      );
    });
  }

  #add({ turns, pending }: { turns: number; pending: number }): void {
    const failures = this.#failures;
    this.#failures = 0;
    const since = Math.max(0, turns - (this.#turnsBefore ?? turns));
    this.#turnsBefore = turns;
    this.#steps.push({ at: this.#clock.now(), turns: since, failures, pending });
    if (this.#steps.length > mostKept) this.#steps.shift();
  }
}
