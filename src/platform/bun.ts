import { renameSync, rmSync } from "node:fs";
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
 * How long a connection over TCP may stay as it is while nothing is being answered on it: before its request has come
 * whole, between two requests, and while its reader takes nothing. Heartbeats keep an event stream that is read.
 */
const idleSeconds = 120;

/**
 * Serves HTTP at an address. Throws the system's error (`EADDRINUSE`, `EACCES`, …) where it cannot listen. A request
 * that is being answered has no limit of the server's own: waits are bounded by their routes. Elsewhere a connection
 * over TCP is cut after `idleLimit` seconds; one of this user's own, on a socket, is not.
 */
export function listen(address: ListenAddress, handler: RequestHandler, idleLimit = idleSeconds): Listener {
  const common = { maxRequestBodySize: anyBodyBytes, development: false };
  const server =
    "socket" in address
      ? serveOnSocket(address.socket, (unix) =>
          Bun.serve(withoutIdleLimit({ ...common, fetch: handler, unix })),
        )
      : Bun.serve({
          ...common,
          hostname: address.host,
          port: address.port,
          // Said aloud: `development: false` alone shares the port with every other server of this user that does so
          // (Bun 1.4.5, measured).
          reusePort: address.isShared === true,
          idleTimeout: idleLimit,
          fetch: async (request, server) => {
            server.timeout(request, 0);
            try {
              return await handler(request);
            } finally {
              server.timeout(request, idleLimit);
            }
          },
        });
  return {
    port: server.port ?? 0,
    stop: async (isForced) => {
      await server.stop(isForced);
    },
  };
}

/** A server removes the name that it was opened under when it stops; by then that name may be another's. */
function serveOnSocket<Server>(path: string, serve: (path: string) => Server): Server {
  const ownName = `${path.slice(0, -1)}~`;
  rmSync(ownName, { force: true });
  const server = serve(ownName);
  renameSync(ownName, path);
  return server;
}

/**
 * The types know this option for TCP alone; on a Unix socket it holds as well, and there `server.timeout(request, 0)`
 * does nothing: a stream quiet for 12 s was cut (Bun 1.4.5, measured).
 */
function withoutIdleLimit<T extends object>(options: T): T {
  return { ...options, idleTimeout: 0 };
}

export { relay } from "./bun-relay.ts";

/** A request to a server that listens on a Unix socket. `path` begins with a slash. */
export function fetchOnSocket(socketPath: string, path: string, init: RequestInit): Promise<Response> {
  return fetch(`http://localhost${path}`, { ...init, unix: socketPath });
}

/** The files of the dashboard; loaded when they are asked for first. */
export async function loadPage(): Promise<{ html: string; script: string; style: string; icon: string }> {
  const { page } = await import("./page.ts");
  return page;
}
