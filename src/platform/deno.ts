import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../core/clock.ts";
import type {
  Database,
  ListenAddress,
  Listener,
  RequestHandler,
  SqlRow,
  SqlValue,
  Statement,
} from "./platform.ts";
import { namedFault } from "./deno-faults.ts";
import { unescaped, withoutNul } from "./deno-text.ts";

/** What of Deno's own interface is used here (Deno 2.9). */
interface DenoServer {
  readonly addr: { port?: number };
  shutdown(): Promise<void>;
}
type ServeAddress = { hostname: string; port: number } | { path: string };
declare const Deno: {
  serve(options: ServeAddress & { onListen: () => void }, handler: RequestHandler): DenoServer;
  createHttpClient(options: { proxy: { transport: "unix"; path: string } }): { close(): void };
};

/** Opens or makes an SQLite database. `isReadOnly` never makes one. */
export function openDatabase(path: string, options: { isReadOnly?: boolean } = {}): Database {
  const settings = { readOnly: options.isReadOnly === true, enableForeignKeyConstraints: false };
  const database = named(() => new DatabaseSync(path, settings));
  const statements = new Map<string, Statement>();
  let isOpen = true;
  return {
    exec: (sql) => named(() => database.exec(sql)),
    prepare: (sql) => {
      const known = statements.get(sql);
      if (known) return known;
      const statement = prepareIn(database, sql);
      statements.set(sql, statement);
      return statement;
    },
    close: () => {
      if (isOpen) database.close();
      isOpen = false;
    },
  };
}

function prepareIn(database: DatabaseSync, sql: string): Statement {
  const prepared = named(() => database.prepare(sql));
  return {
    run: (...values) => ({ changes: Number(named(() => prepared.run(...bound(values))).changes) }),
    get: (...values) => {
      const row = named(() => prepared.get(...bound(values)));
      return row === undefined ? undefined : readRow(row);
    },
    all: (...values) => named(() => prepared.all(...bound(values))).map(readRow),
  };
}

function named<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw namedFault(thrown);
  }
}

function bound(values: readonly SqlValue[]): SqlValue[] {
  return values.map((value) => (typeof value === "string" ? withoutNul(value) : value));
}

function readRow(row: Record<string, unknown>): SqlRow {
  const read: SqlRow = {};
  for (const [name, value] of Object.entries(row)) read[name] = readValue(name, value);
  return read;
}

function readValue(name: string, value: unknown): SqlValue {
  if (typeof value === "string") return unescaped(value);
  if (typeof value === "number" || value === null) return value;
  throw new TypeError(`the column ${name} holds what the store never writes (${typeof value})`);
}

/** The port of a listener that was told to stop is let go of some turns of the event loop later (Deno 2.9.6, measured). */
const mostTurnsToWait = 200;
let stopping = 0;

/**
 * Serves HTTP at an address. Rejects with the system's error (`EADDRINUSE`, `EACCES`, …) where it cannot listen.
 * Deno's server has no limit of silence and none of size.
 */
export async function listen(address: ListenAddress, handler: RequestHandler): Promise<Listener> {
  if ("socket" in address) rmSync(address.socket, { force: true });
  const cut = new AbortController();
  const server = await serveOnceFree(address, (request) =>
    answeredOrCut(withPlainTarget(request), handler, cut.signal),
  );
  let stopped: Promise<void> | undefined;
  return {
    port: server.addr.port ?? 0,
    stop: async (isForced) => {
      stopped ??= shutDown(server);
      if (!isForced) return stopped;
      cut.abort();
    },
  };
}

/** On a Unix socket a target reads `http+unix://` (Deno 2.9.6, measured). */
function withPlainTarget(request: Request): Request {
  const { url } = request;
  return url.startsWith("http+unix:") ? new Request(url.replace("http+unix:", "http:"), request) : request;
}

async function serveOnceFree(address: ListenAddress, handler: RequestHandler): Promise<DenoServer> {
  const where =
    "socket" in address ? { path: address.socket } : { hostname: address.host, port: address.port };
  for (let turn = 0; ; turn++) {
    try {
      return Deno.serve({ ...where, onListen: () => {} }, handler);
    } catch (thrown) {
      if (stopping === 0 || turn === mostTurnsToWait) throw thrown;
      await new Promise<void>((resolve) => systemClock.defer(resolve));
    }
  }
}

async function shutDown(server: DenoServer): Promise<void> {
  stopping += 1;
  try {
    await server.shutdown();
  } finally {
    stopping -= 1;
  }
}

/**
 * The answer, or, where the listener is forced to stop first, an empty 503: a server that was told to shut down cannot
 * be aborted any more (Deno 2.9.6: "Bad resource ID"), so that answers are cut here. Event streams have no other end.
 */
async function answeredOrCut(request: Request, handler: RequestHandler, cut: AbortSignal): Promise<Response> {
  const { promise: whenCut, resolve } = Promise.withResolvers<Response>();
  const leave = (): void => resolve(new Response(null, { status: 503, headers: { Connection: "close" } }));
  cut.addEventListener("abort", leave, { once: true });
  try {
    const response = await Promise.race([handler(request), whenCut]);
    return isEventStream(response) ? cuttable(response, cut) : response;
  } finally {
    cut.removeEventListener("abort", leave);
  }
}

function isEventStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") === true;
}

function cuttable({ body, status, headers }: Response, cut: AbortSignal): Response {
  const passed = body?.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal: cut }) ?? null;
  return new Response(passed, { status, headers });
}

/** A request to a server that listens on a Unix socket. `path` begins with a slash. */
export async function fetchOnSocket(socketPath: string, path: string, init: RequestInit): Promise<Response> {
  const client = Deno.createHttpClient({ proxy: { transport: "unix", path: socketPath } });
  const onSocket: RequestInit & { client: object } = { ...init, client };
  return fetch(`http://localhost${path}`, onSocket);
}

/**
 * What stands in the dashboard's place: its files are bundled by Bun, while the program is built or as it runs from
 * source, and Deno has no bundler of its own (2.9.6 fetches one).
 */
export async function loadPage(): Promise<{ html: string; script: string; style: string; icon: string }> {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Segue</title>
<p>Segue runs from its source under Deno, where the dashboard is not there. <code>segue status --watch</code> and
<code>GET /api/stats</code> tell the same.</p></html>
`;
  return { html, script: "", style: "", icon: "" };
}

/** Under Deno no program takes another's place, so that nobody waits who was connected to the one before. */
export function relay(): void {
  throw new Error("Deno does not take over connections");
}
