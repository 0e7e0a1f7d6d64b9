/** The promises that are looked after, by the words of the contract. */
export type PromiseName =
  | "accepted means kept"
  | "exactly one outcome"
  | "in order"
  | "one turn at a time"
  | "never mid-turn"
  | "fresh"
  | "free"
  | "a bad edit changes nothing"
  | "loading never writes"
  | "noticed"
  | "secrets stay in"
  | "to its own endpoint"
  | "guard"
  | "parks"
  | "attempts"
  | "slots"
  | "budget"
  | "context"
  | "pending restarts"
  | "drain"
  | "events"
  | "answers"
  | "rest"
  | "nothing leaks";

/** A promise of the contract that was not kept: which, and what was seen. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly promise: PromiseName;
  readonly text: string;

  constructor(promise: PromiseName, text: string) {
    super(`${promise}: ${text}`);
    this.promise = promise;
    this.text = text;
  }
}

/** Throws a violation where a claim does not hold. */
export function expect(holds: boolean, promise: PromiseName, text: () => string): asserts holds {
  if (!holds) throw new Violation(promise, text());
}
