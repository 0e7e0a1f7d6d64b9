import type { NewEvent, StoredEvent } from "../core/events.ts";

/** The events that are kept. */
export interface EventStore {
  append(events: readonly NewEvent[], at: number): Promise<void>;
  /** Stored events with an id above `after`, in order. */
  after(after: number, limit: number): Promise<StoredEvent[]>;
  /** The lowest id that is kept (one above the highest where none is) and the highest given; 0, 0 before the first. */
  bounds(): Promise<{ oldest: number; newest: number }>;
}
