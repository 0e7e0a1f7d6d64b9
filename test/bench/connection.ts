import type { Socket } from "bun";

/** An answer whole. */
export interface Answer {
  status: number;
  body: string;
}

interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/**
 * One kept-alive HTTP/1.1 connection to this machine, with one request under way at a time. It understands what the
 * benchmarks need: answers with a Content-Length. A client of few instructions, because it shares the processors
 * with what it measures.
 */
export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;
  #received: Buffer = Buffer.alloc(0);

  private constructor(port: number) {
    this.#port = port;
  }

  /** Rejects where nothing listens. */
  static async open(port: number): Promise<Connection> {
    const connection = new Connection(port);
    connection.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => connection.#take(chunk),
        close: () => connection.#fail("was closed"),
        error: (_socket, error) => connection.#fail(error.message),
      },
    });
    return connection;
  }

  /** Sends a request made by `requestBytes`. Rejects where the connection is cut before the answer is there. */
  send(request: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const written = this.#socket?.write(request) ?? -1;
      if (written !== request.byteLength) this.#fail("did not take the request whole");
    });
  }

  close(): void {
    this.#socket?.end();
  }

  #take(chunk: Buffer): void {
    this.#received =
      this.#received.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = bodyLength(head);
    if (length === undefined) return this.#fail("got an answer without a Content-Length");
    const bodyStart = headEnd + 4;
    if (this.#received.length < bodyStart + length) return;
    const body = this.#received.toString("utf8", bodyStart, bodyStart + length);
    this.#received = this.#received.subarray(bodyStart + length);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: statusOf(head), body });
  }

  #fail(why: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new Error(`the connection to port ${this.#port} ${why}`));
  }
}

function bodyLength(head: string): number | undefined {
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  return length === undefined ? undefined : Number(length);
}

function statusOf(head: string): number {
  return Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
}

/** The bytes of a request, made once for all the times it is sent; `more` are further lines of its head. */
export function requestBytes(
  port: number,
  method: "GET" | "POST" | "PATCH",
  path: string,
  body?: { type: string; text: string },
  more: readonly string[] = [],
): Uint8Array {
  const content = Buffer.from(body?.text ?? "");
  const described = body ? `Content-Type: ${body.type}\r\nContent-Length: ${content.length}\r\n` : "";
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: */*\r\n${described}${more.map((line) => `${line}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), content]);
}

/** One request on a connection of its own; rejects unless it is answered with `status`. */
export async function ask(port: number, path: string, status = 200): Promise<Answer> {
  const connection = await Connection.open(port);
  try {
    const answer = await connection.send(requestBytes(port, "GET", path));
    if (answer.status !== status) throw new Error(`GET ${path} answered ${answer.status}: ${answer.body}`);
    return answer;
  } finally {
    connection.close();
  }
}
