import type { Socket } from "bun";
import { requestBytes } from "./connection.ts";

/** Reads one event stream of this machine and tells when events arrive, not what they say. */
export class EventReader {
  #socket: Socket | undefined;
  #text = "";
  #waiting: { mark: string; resolve: (at: number) => void } | undefined;

  /** Resolves when the stream has begun: what happens from here on arrives. */
  static async open(port: number, path: string): Promise<EventReader> {
    const reader = new EventReader();
    const begun = reader.#arrival("\n\n");
    reader.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data: (_socket, chunk) => reader.#take(chunk.toString("latin1")) },
    });
    reader.#socket.write(requestBytes(port, "GET", path));
    await begun;
    return reader;
  }

  /** The moment (`performance.now()`) at which the next event of this type arrives. To be asked for before it happens. */
  next(type: string): Promise<number> {
    this.#text = "";
    return this.#arrival(`event: ${type}\n`);
  }

  close(): void {
    this.#socket?.end();
  }

  #arrival(mark: string): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting = { mark, resolve };
    });
  }

  #take(text: string): void {
    const at = performance.now();
    this.#text += text;
    if (!this.#waiting || !this.#text.includes(this.#waiting.mark)) return;
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    this.#text = "";
    resolve(at);
  }
}
