import type { WaitReason } from "../core/events.ts";
import type { Go } from "./admission.ts";
import type { Candidate } from "./candidate.ts";

/** Somebody who waits at the gate. */
export interface Waiter {
  candidates: () => readonly [Candidate, ...Candidate[]];
  isSuspect: boolean;
  grant: (admission: Go) => void;
  onWait: (reason: WaitReason, until: number | null) => void;
}

/** Those who want the same first, in the order of asking. Each is told once why it waits, and again when that changes. */
export class Lane {
  readonly #waiting = new Map<number, Waiter>();
  #told = "";
  /** Tickets of those who came after the others were told. */
  readonly #untold = new Set<number>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Tickets rise with the order of asking; undefined where nobody waits. */
  get firstTicket(): number | undefined {
    return this.#waiting.keys().next().value;
  }

  /** Who asked first. */
  get first(): Waiter | undefined {
    return this.#waiting.values().next().value;
  }

  add(ticket: number, waiter: Waiter): void {
    this.#waiting.set(ticket, waiter);
    this.#untold.add(ticket);
  }

  remove(ticket: number): void {
    this.#waiting.delete(ticket);
    this.#untold.delete(ticket);
  }

  /** All of them wait for the same; only those are told to whom it is news: a lane may be a thousand long. */
  tell(reason: WaitReason, until: number | null): void {
    const told = `${reason} ${until}`;
    const news = told === this.#told ? [...this.#untold] : [...this.#waiting.keys()];
    this.#told = told;
    this.#untold.clear();
    for (const ticket of news) this.#waiting.get(ticket)?.onWait(reason, until);
  }
}

/** The lane whose head asked first, and that head; undefined where all are empty. */
export function lowestOf(lanes: Iterable<Lane>): { lane: Lane; ticket: number; waiter: Waiter } | undefined {
  let lowest: { lane: Lane; ticket: number; waiter: Waiter } | undefined;
  for (const lane of lanes) {
    const { firstTicket: ticket, first: waiter } = lane;
    if (ticket !== undefined && waiter && (!lowest || ticket < lowest.ticket))
      lowest = { lane, ticket, waiter };
  }
  return lowest;
}
