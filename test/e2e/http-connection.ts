import type { Socket } from "bun";

/** An answer whole; names of headers in small letters. */
export interface Answer {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** A request as it is sent. */
export interface Ask {
  method?: "GET" | "POST";
  path: string;
  body?: string;
}

interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/**
 * One HTTP/1.1 connection to a port of this machine, with one request under way at a time. It sends everything once:
 * where `fetch` may quietly send again what a closing connection did not take, this fails.
 */
export class HttpConnection {
  readonly #port: number;
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;
  #received = Buffer.alloc(0);
  #isClosed = false;

  private constructor(port: number) {
    this.#port = port;
  }

  /** Rejects where nothing listens. */
  static async open(port: number): Promise<HttpConnection> {
    const connection = new HttpConnection(port);
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

  /** Whether it has ended: by either side. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Rejects where the connection ends before the answer is there. */
  send({ method = "GET", path, body }: Ask): Promise<Answer> {
    const content = Buffer.from(body ?? "");
    const described = `Content-Type: application/json\r\nContent-Length: ${content.length}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n`;
    const request = Buffer.concat([
      Buffer.from(`${head}${body === undefined ? "" : described}\r\n`),
      content,
    ]);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#socket?.write(request) !== request.length) this.#fail("did not take the request whole");
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.end();
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const [first = "", ...lines] = this.#received.toString("latin1", 0, headEnd).split("\r\n");
    const headers = new Map(lines.map(headerOf));
    const bodyEnd = headEnd + 4 + Number(headers.get("content-length") ?? 0);
    if (this.#received.length < bodyEnd) return;
    const body = this.#received.toString("utf8", headEnd + 4, bodyEnd);
    this.#received = this.#received.subarray(bodyEnd);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (headers.get("connection")?.toLowerCase() === "close") this.close();
    waiting?.resolve({ status: Number(first.split(" ")[1]), headers, body });
  }

  #fail(why: string): void {
    this.#isClosed = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new Error(`the connection to port ${this.#port} ${why}`));
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

/** One request on a connection of its own. */
export async function askOnce(port: number, ask: Ask): Promise<Answer> {
  const connection = await HttpConnection.open(port);
  try {
    return await connection.send(ask);
  } finally {
    connection.close();
  }
}
