import type { Socket, TCPSocketListener } from "bun";

interface Line {
  other: Socket<Line> | undefined;
  unsent: Buffer[];
}

/** A way to a port of this machine that can be cut: every connection that goes through it ends at once. */
export class CutLine {
  readonly #listener: TCPSocketListener<Line>;
  readonly #ends = new Set<Socket<Line>>();

  private constructor(port: number) {
    this.#listener = Bun.listen<Line>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (near) => void this.#join(near, port),
        data: (near, bytes) => pass(near, bytes),
        close: (near) => this.#drop(near),
        error: (near) => this.#drop(near),
      },
    });
  }

  /** Leads to `port`. */
  static to(port: number): CutLine {
    return new CutLine(port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.port}`;
  }

  /** Cuts what goes through it now; answers how many connections that were. */
  cut(): number {
    const count = this.#ends.size / 2;
    for (const end of this.#ends) end.terminate();
    this.#ends.clear();
    return count;
  }

  close(): void {
    this.cut();
    this.#listener.stop(true);
  }

  async #join(near: Socket<Line>, port: number): Promise<void> {
    near.data = { other: undefined, unsent: [] };
    this.#ends.add(near);
    try {
      const far = await Bun.connect<Line>({
        hostname: "127.0.0.1",
        port,
        data: { other: near, unsent: [] },
        socket: {
          data: (socket, bytes) => pass(socket, bytes),
          close: (socket) => this.#drop(socket),
          error: (socket) => this.#drop(socket),
        },
      });
      this.#ends.add(far);
      near.data.other = far;
      for (const bytes of near.data.unsent) far.write(bytes);
    } catch {
      // Nobody listens there: who came through is cut too.
      near.terminate();
      this.#ends.delete(near);
    }
  }

  #drop(end: Socket<Line>): void {
    this.#ends.delete(end);
    end.data.other?.terminate();
  }
}

/** What one side sends, the other gets; small messages, which a socket takes whole. */
function pass(from: Socket<Line>, bytes: Buffer): void {
  if (from.data.other) from.data.other.write(bytes);
  else from.data.unsent.push(Buffer.from(bytes));
}
