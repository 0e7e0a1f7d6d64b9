import { SegueError, isStorageFault } from "../../core/errors.ts";
import type { Clock } from "../../core/clock.ts";
import type { StoredEvent } from "../../core/events.ts";
import type { Database } from "../../platform/platform.ts";
import type { KeepEvents, ToldEvent } from "./events.ts";
import { storageError } from "./faults.ts";
import { WriteHealth } from "./write-health.ts";

/**
 * A write: runs inside a transaction, synchronously, and touches nothing but the database. It may be run a second
 * time, in a transaction of its own, where the first one was rolled back. What it tells goes to `told`.
 */
export type Write<T> = (told: ToldEvent[]) => T;

interface Waiting {
  run: Write<unknown>;
  resolve: (value: never) => void;
  reject: (reason: unknown) => void;
}

/** At most this many writes share a transaction, so that a flood does not make the first wait for the last. */
const mostWritesPerCommit = 1000;

/**
 * Group commit: the writes of one turn of the event loop go into one transaction, in the order in which they were
 * asked for, and the promise of each resolves after the commit. Where a write throws, the transaction is rolled
 * back and each of its writes is run in one of its own, so that a faulty one takes no other with it.
 * Committed events are published before the promises resolve.
 */
export class GroupCommit {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #keepEvents: KeepEvents;
  readonly #publish: (events: readonly StoredEvent[]) => void;
  readonly #health: WriteHealth;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(parts: {
    database: Database;
    clock: Clock;
    keepEvents: KeepEvents;
    publish: (events: readonly StoredEvent[]) => void;
  }) {
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#keepEvents = parts.keepEvents;
    this.#publish = parts.publish;
    this.#health = new WriteHealth(parts.database, parts.clock);
  }

  /** Why the last write could not be committed; null where it could. */
  get fault(): SegueError | null {
    return this.#health.fault;
  }

  /** Asks for a write. Rejects with `storage` or `storage_full` where it could not be committed. */
  write<T>(run: Write<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new SegueError("storage", "the store is closed"));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject });
      this.#schedule();
    });
  }

  /** Commits what is waiting and takes nothing more. */
  close(): void {
    while (this.#waiting.length > 0) this.#commitNext();
    this.#isClosed = true;
    this.#health.stop();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.defer(() => {
      this.#isScheduled = false;
      this.#commitNext();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #commitNext(): void {
    const group = this.#waiting.splice(0, mostWritesPerCommit);
    if (group.length === 0 || this.#commit(group) || group.length === 1) return;
    for (const one of group) this.#commit([one]);
  }

  /** Whether the group is settled; a group of several that failed is not, and has changed nothing. */
  #commit(group: readonly Waiting[]): boolean {
    const told: ToldEvent[] = [];
    let results: unknown[];
    let stored: StoredEvent[];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      results = group.map((waiting) => waiting.run(told));
      stored = this.#keepEvents(told);
      this.#database.exec("COMMIT");
    } catch (thrown) {
      this.#rollBack();
      if (group.length === 1) this.#refuse(group, storageError(thrown));
      return false;
    }
    this.#health.succeeded();
    if (stored.length > 0) this.#publish(stored);
    for (const [index, waiting] of group.entries())
      (waiting.resolve as (value: unknown) => void)(results[index]);
    return true;
  }

  #refuse(group: readonly Waiting[], fault: SegueError): void {
    if (isStorageFault(fault)) this.#health.failed(fault);
    for (const waiting of group) waiting.reject(fault);
  }

  #rollBack(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has already rolled back by itself (a full disk, an I/O error): there is no transaction to end.
    }
  }
}
