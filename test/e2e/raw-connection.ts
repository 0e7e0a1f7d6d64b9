import type { Socket } from "bun";

/** A TCP connection to this machine that sends what it is given, byte by byte as it is. */
export class RawConnection {
  #socket: Socket | undefined;
  #received = "";
  #unsent = Buffer.alloc(0);
  #changed = Promise.withResolvers<void>();
  #isClosed = false;

  /** Opens one; `isReading` false: it takes nothing of what it is sent. */
  static async open(port: number, { isReading = true } = {}): Promise<RawConnection> {
    const connection = new RawConnection();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, bytes) => connection.#take(bytes.toString("latin1")),
        drain: () => connection.#flush(),
        close: () => connection.#end(),
        error: () => connection.#end(),
      },
    });
    connection.#socket = socket;
    if (!isReading) socket.pause();
    return connection;
  }

  /** What came so far. */
  get received(): string {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends now what fits, and the rest as it is taken. */
  send(bytes: string | Uint8Array): void {
    this.#unsent = Buffer.concat([this.#unsent, Buffer.from(bytes)]);
    this.#flush();
  }

  /** Resolves when what came holds `pattern`, or the connection has been closed from the other side. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received) && !this.#isClosed) await this.#changed.promise;
    return this.#received;
  }

  /** Resolves when all that was to be sent has been taken, or the connection is closed. */
  async sent(): Promise<void> {
    while (this.#unsent.length > 0 && !this.#isClosed) await this.#changed.promise;
  }

  /** Ends it at once. */
  close(): void {
    this.#socket?.terminate();
    this.#end();
  }

  #take(text: string): void {
    this.#received += text;
    this.#tell();
  }

  #flush(): void {
    const sent = this.#socket?.write(this.#unsent) ?? 0;
    this.#unsent = this.#unsent.subarray(Math.max(0, sent));
    if (this.#unsent.length === 0) this.#tell();
  }

  #end(): void {
    this.#isClosed = true;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** A request's head: its first line, `Host` unless it is named, and what else it says. */
export function head(firstLine: string, headers: readonly string[] = []): string {
  const host = headers.some((header) => /^host\b/i.test(header)) ? [] : ["Host: 127.0.0.1"];
  return [firstLine, ...host, ...headers, "", ""].join("\r\n");
}

/** Status and, where it is a problem, code of the answer to these bytes; "closed" where there is none. */
export async function answerTo(port: number, bytes: string | Uint8Array): Promise<string> {
  const connection = await RawConnection.open(port);
  connection.send(bytes);
  const text = await connection.until(/\r\n\r\n(\{[^]*\}|[^{][^]*)?$/);
  connection.close();
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
  if (status === undefined) return "closed";
  const [, code] = /"code":"(\w+)"/.exec(text) ?? [];
  return code === undefined ? status : `${status} ${code}`;
}
