import type { EventData } from "../../../src/core/events.ts";
import type { Seen, SeenEvent } from "../history.ts";

/** The data of an event of a type. */
export type Told<T extends keyof EventData> = Extract<SeenEvent, { type: T }>["data"];

/** A stored event in the order of ids: each once. `at` is what it says itself, `toldAt` when it was read. */
export type StoredEvent = SeenEvent & { id: number; at: number; toldAt: number };

/** Looks after one family of promises; throws a `Violation`. */
export interface Judge {
  /** Everything, as it was seen; events may be seen later than what they tell of. */
  see?(seen: Seen): void;
}
