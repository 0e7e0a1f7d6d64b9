import { Connection } from "./connection.ts";

/** What a load consists of. */
export interface LoadOptions {
  port: number;
  connections: number;
  /** The next request of a connection (counted from 0); undefined ends what that connection does. */
  next: (connection: number) => Uint8Array | undefined;
  /** The only status that is no failure. */
  status: number;
  /** Answers before this moment of `performance.now()` are counted but not timed. By default all are timed. */
  timedFrom?: number;
}

/** What came of it. */
export interface LoadResult {
  /** Requests answered, those that were not timed included. */
  answered: number;
  /** From request to whole answer, of those that were timed. */
  latenciesMs: number[];
}

/**
 * A closed loop: each kept-alive connection sends its next request when the answer to the last is there, as many
 * clients as there are connections. It runs in this process and shares the processors with the server. Fails at the
 * first answer of another status and at the first cut connection.
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const result: LoadResult = { answered: 0, latenciesMs: [] };
  const opened = await Promise.all(
    Array.from({ length: options.connections }, () => Connection.open(options.port)),
  );
  try {
    await Promise.all(opened.map((connection, index) => drive(connection, index, options, result)));
  } finally {
    for (const connection of opened) connection.close();
  }
  return result;
}

async function drive(
  connection: Connection,
  index: number,
  { next, status, timedFrom = 0 }: LoadOptions,
  result: LoadResult,
): Promise<void> {
  for (let request = next(index); request; request = next(index)) {
    const sentAt = performance.now();
    const answer = await connection.send(request);
    const answeredAt = performance.now();
    if (answer.status !== status) throw new Error(`answered ${answer.status}: ${answer.body}`);
    result.answered += 1;
    if (answeredAt >= timedFrom) result.latenciesMs.push(answeredAt - sentAt);
  }
}
