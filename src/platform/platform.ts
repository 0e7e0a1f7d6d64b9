/** A value as SQLite keeps it (STRICT tables without blobs). Integers stay below 2^53. */
export type SqlValue = string | number | null;
/** A row by column name. */
export type SqlRow = Record<string, SqlValue>;

/** A prepared statement. Parameters are positional. */
export interface Statement {
  run(...values: SqlValue[]): { changes: number };
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
}

/** One connection to an SQLite database. Everything is synchronous and throws SQLite's error with its `code`. */
export interface Database {
  exec(sql: string): void;
  /** Prepares once for each text; statements live as long as the connection. */
  prepare(sql: string): Statement;
  /** Really closes: a statement used afterwards throws. */
  close(): void;
}

/**
 * Where a listener listens; `isShared`: beside others of this user that ask for that too. A socket takes the place of
 * whatever has its name, in one step, and leaves its name behind.
 */
export type ListenAddress = { host: string; port: number; isShared?: boolean } | { socket: string };

/** An open HTTP listener. */
export interface Listener {
  /** The port it got; 0 for a socket. */
  readonly port: number;
  /** Refuses new connections and resolves when those open have ended; `isForced` cuts them. */
  stop(isForced: boolean): Promise<void>;
}

/** What answers a request. */
export type RequestHandler = (request: Request) => Response | Promise<Response>;

/** The way to the service manager that started this process. */
export interface NotifySocket {
  /** Tells a state in one datagram, without waiting; false where it was not taken. */
  send(state: string): boolean;
  /** The time since the machine was started, as the manager counts it, in microseconds. */
  monotonicUs(): bigint;
  close(): void;
}

/** How a function of the C library is called: bytes are passed as a pointer to them. */
export interface NativeFunction {
  args: readonly ("i32" | "u32" | "u64" | "bytes")[];
  returns: "i32" | "i64";
}

/** What a function of the C library is called with; a list of numbers or bytes stands for a pointer to them. */
export type NativeValue = number | Uint8Array | BigInt64Array;

/** Calls a function of the C library, by its name; answers what it returned. */
export type NativeCall = (name: string, ...values: NativeValue[]) => number;

/** The files of the C libraries of the systems that Segue is built for. */
export const libcNames = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"] as const;
