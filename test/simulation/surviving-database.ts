import { openDatabase } from "../../src/platform/bun.ts";
import type { Database, Statement } from "../../src/platform/platform.ts";
import type { Chance } from "./chance.ts";
import { Killed, type SimulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

/** What is wrong with the store at present. */
export type StoreFault = "store busy" | "store full" | "commit fails" | "store unreadable" | "store slow";

/** How often what can fail does, while the fault is there. */
const failing = 0.8;
const failingReads = 0.3;
/** The longest that a slow store keeps everything waiting. */
const longestStallMs = 400;

function sqliteError(code: string): Error {
  return Object.assign(new Error(`${code} (simulated)`), { code });
}

/**
 * A real SQLite database in memory that outlives every process: what was committed is there for the next one, what was
 * not is rolled back when a process dies.
 */
export class SurvivingDatabase {
  readonly faults = new Set<StoreFault>();
  /** Connections that are open. */
  open = 0;
  readonly #scheduler: Scheduler;
  readonly #chance: () => Chance;
  readonly #inner = openDatabase(":memory:");
  #owner: SimulatedProcess | undefined;
  #isLocked = false;
  #isInTransaction = false;

  constructor(scheduler: Scheduler, chance: () => Chance) {
    this.#scheduler = scheduler;
    this.#chance = chance;
  }

  /** Opens databases for one process: the store, and the lock of the data folder. */
  openerFor(process: SimulatedProcess): (path: string) => Database {
    process.atDeath(() => this.#lose(process));
    return (path) => {
      process.pass();
      return path.endsWith(".lock") ? this.#lock() : this.#connect(process);
    };
  }

  /** Reads or changes what is stored, past every process. */
  get inner(): Database {
    return this.#inner;
  }

  /** The end of the world. */
  destroy(): void {
    this.#inner.close();
  }

  #lose(process: SimulatedProcess): void {
    this.#isLocked = false;
    if (this.#owner !== process) return;
    this.open = 0;
    this.#owner = undefined;
    if (this.#isInTransaction) this.#inner.exec("ROLLBACK");
    this.#isInTransaction = false;
  }

  #lock(): Database {
    let isMine = false;
    return {
      exec: () => {
        if (this.#isLocked) throw sqliteError("SQLITE_BUSY");
        this.#isLocked = isMine = true;
      },
      prepare: () => {
        throw new Error("nothing is kept in the lock");
      },
      close: () => {
        if (isMine) this.#isLocked = false;
      },
    };
  }

  #connect(process: SimulatedProcess): Database {
    this.#owner = process;
    this.open += 1;
    let isOpen = true;
    const requireOpen = (): void => {
      if (process.isDead) throw new Killed();
      if (!isOpen) throw new Error("the database was used after it was closed");
    };
    return {
      exec: (sql) => {
        requireOpen();
        if (sql.startsWith("BEGIN")) this.#begin(sql);
        else if (sql === "COMMIT") this.#commit(process);
        else if (sql === "ROLLBACK") this.#rollBack();
        else this.#inner.exec(sql);
      },
      prepare: (sql) => {
        requireOpen();
        return this.#guarded(sql, this.#inner.prepare(sql), requireOpen);
      },
      close: () => {
        if (!process.isDead && isOpen) this.open -= 1;
        isOpen = false;
      },
    };
  }

  #begin(sql: string): void {
    if (this.#strikes("store busy")) throw sqliteError("SQLITE_BUSY");
    if (this.#strikes("store slow")) this.#scheduler.stall(this.#chance().below(longestStallMs));
    this.#inner.exec(sql);
    this.#isInTransaction = true;
  }

  /** 1. Right before it nothing has happened, right after it all of it has, whether anybody was told or not. */
  #commit(process: SimulatedProcess): void {
    process.pass("not committed");
    if (this.#strikes("commit fails")) throw sqliteError("SQLITE_IOERR_FSYNC");
    this.#inner.exec("COMMIT");
    this.#isInTransaction = false;
    process.pass("committed");
  }

  #rollBack(): void {
    this.#inner.exec("ROLLBACK");
    this.#isInTransaction = false;
  }

  #guarded(sql: string, statement: Statement, requireOpen: () => void): Statement {
    const isWrite = /^\s*(INSERT|UPDATE|REPLACE)/i.test(sql);
    return {
      run: (...values) => {
        requireOpen();
        if (isWrite && this.#strikes("store full")) throw sqliteError("SQLITE_FULL");
        return statement.run(...values);
      },
      get: (...values) => {
        requireOpen();
        if (!isWrite) this.#expectReadable();
        if (isWrite && this.#strikes("store full")) throw sqliteError("SQLITE_FULL");
        return statement.get(...values);
      },
      all: (...values) => {
        requireOpen();
        if (!isWrite) this.#expectReadable();
        return statement.all(...values);
      },
    };
  }

  #expectReadable(): void {
    if (this.#strikes("store unreadable", failingReads)) throw sqliteError("SQLITE_IOERR_READ");
  }

  #strikes(fault: StoreFault, probability = failing): boolean {
    return this.faults.has(fault) && this.#chance().happens(probability);
  }
}
