import { Database as BunDatabase } from "bun:sqlite";
import type {
  Database,
  ListenAddress,
  Listener,
  RequestHandler,
  SqlRow,
  SqlValue,
  Statement,
} from "./platform.ts";

/** Opens or makes an SQLite database. `isReadOnly` never makes one. */
export function openDatabase(path: string, options: { isReadOnly?: boolean } = {}): Database {
  const database = new BunDatabase(path, {
    ...(options.isReadOnly === true ? { readonly: true } : { create: true, readwrite: true }),
    strict: true,
  });
  const statements = new Map<string, Statement>();
  return {
    exec: (sql) => void database.run(sql),
    prepare: (sql) => {
      const known = statements.get(sql);
      if (known) return known;
      const statement = prepareIn(database, sql);
      statements.set(sql, statement);
      return statement;
    },
    // `true` finalizes statements; without it a connection with one alive stays open (measured).
    close: () => database.close(true),
  };
}

function prepareIn(database: BunDatabase, sql: string): Statement {
  const prepared = database.prepare<SqlRow, SqlValue[]>(sql);
  return {
    run: (...values) => ({ changes: prepared.run(...values).changes }),
    get: (...values) => prepared.get(...values) ?? undefined,
    all: (...values) => prepared.all(...values),
  };
}

/**
 * The server's own limit answers with an empty 413 of its own; the interface has one, and answers before it has read
 * more than that. What a client goes on sending is thrown away as it comes, not kept (Bun 1.4.5, measured).
 */
const anyBodyBytes = Number.MAX_SAFE_INTEGER;

/**
 * Serves HTTP at an address. Throws the system's error (`EADDRINUSE`, `EACCES`, …) where it cannot listen.
 * No idle limit of the server's own: event streams are quiet for long, and waits are bounded by their routes.
 */
export function listen(address: ListenAddress, handler: RequestHandler): Listener {
  const common = { fetch: handler, maxRequestBodySize: anyBodyBytes, development: false };
  const server =
    "socket" in address
      ? Bun.serve(withoutIdleLimit({ ...common, unix: address.socket }))
      : Bun.serve(
          // `reusePort` said aloud: `development: false` alone shares the port with every other server of this user
          // that does so (Bun 1.4.5, measured).
          withoutIdleLimit({ ...common, hostname: address.host, port: address.port, reusePort: false }),
        );
  return {
    port: server.port ?? 0,
    stop: async (isForced) => {
      await server.stop(isForced);
    },
  };
}

/**
 * The types know this option for TCP alone; on a Unix socket it holds as well, and there `server.timeout(request, 0)`
 * does nothing: a stream quiet for 12 s was cut (Bun 1.4.5, measured).
 */
function withoutIdleLimit<T extends object>(options: T): T {
  return { ...options, idleTimeout: 0 };
}

/** A request to a server that listens on a Unix socket. `path` begins with a slash. */
export function fetchOnSocket(socketPath: string, path: string, init: RequestInit): Promise<Response> {
  return fetch(`http://localhost${path}`, { ...init, unix: socketPath });
}

/** The files of the dashboard; loaded when they are asked for first. */
export async function loadPage(): Promise<{ html: string; script: string; style: string; icon: string }> {
  const { page } = await import("./page.ts");
  return page;
}
