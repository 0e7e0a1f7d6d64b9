/** Deleting what is old, in steps of a bounded length. Times are compared with `before`. */
export interface RetentionStore {
  /**
   * Deletes of the next messages after a position those that ended before, but for those that are in their session's
   * present context, and what belongs to them. The answer is the position to go on from; null at the end.
   */
  messages(after: number, before: number): Promise<number | null>;
  /** The same for sessions that hold no message and were active last before. Tells `session.deleted`. */
  sessions(after: number, before: number, at: number): Promise<{ deleted: string[]; next: number | null }>;
  /** Deletes the oldest events as far as they are from before; whether there may be more of them. */
  events(before: number): Promise<boolean>;
}
