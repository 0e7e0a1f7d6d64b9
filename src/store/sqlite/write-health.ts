import type { Cancel, Clock } from "../../core/clock.ts";
import type { SegueError } from "../../core/errors.ts";
import type { Database } from "../../platform/platform.ts";

/** While writes fail it is tried this often whether they succeed again. */
const trialMs = 1000;
/** What a trial writes: about what a message and its events take, so that a disk with no more than a page free is full. */
const trialBytes = 64 * 1024;

/**
 * Whether the writes of a database fail. While they do, a trial write is made every second, so that it is known when
 * the cause has gone even where nobody dares to write.
 */
export class WriteHealth {
  readonly #database: Database;
  readonly #clock: Clock;
  #fault: SegueError | null = null;
  #cancelTrial: Cancel | undefined;
  #isStopped = false;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Why the last write failed; null where it did not. */
  get fault(): SegueError | null {
    return this.#fault;
  }

  /** A write was committed. */
  succeeded(): void {
    if (!this.#fault) return;
    this.#fault = null;
    this.#cancelTrial?.();
    this.#cancelTrial = undefined;
  }

  /** A write failed for a cause of the database's. */
  failed(fault: SegueError): void {
    this.#fault = fault;
    if (this.#isStopped) return;
    this.#cancelTrial ??= this.#clock.after(trialMs, () => {
      this.#cancelTrial = undefined;
      this.#try(fault);
    });
  }

  /** Makes no trial any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelTrial?.();
  }

  #try(fault: SegueError): void {
    try {
      // 1. The log may hold far more pages than the database would grow by: that alone can make room.
      this.#attempt("PRAGMA wal_checkpoint(TRUNCATE)");
      const key = "a trial write";
      // 2. No session has an empty id. Two commits: what is inserted and deleted in one is never written.
      this.#database
        .prepare("INSERT OR REPLACE INTO idempotency (session, key, hash, messages) VALUES ('', ?, ?, '')")
        .run(key, "-".repeat(trialBytes));
      this.#database.prepare("DELETE FROM idempotency WHERE session = '' AND key = ?").run(key);
      this.succeeded();
    } catch {
      this.failed(fault);
    }
  }

  #attempt(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch {
      // It needs room itself; the trial write tells.
    }
  }
}
