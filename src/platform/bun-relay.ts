import type { SocketHandler } from "bun";
import { connect, type NetConnectOpts, type Socket as Target } from "node:net";

/** Carries the bytes of an accepted connection to `to` and back, until both have ended. */
export function relay(accepted: number, to: NetConnectOpts): void {
  const target = connect({ ...to, allowHalfOpen: true });
  const waiting = new Waiting(target);
  const socket: SocketHandler = {
    binaryType: "buffer",
    data: (source, bytes) => {
      if (!target.write(bytes)) source.pause();
    },
    drain: (source) => waiting.flush(source),
    end: () => void target.end(),
    close: () => void target.destroy(),
    error: () => void target.destroy(),
  };
  target.once("error", () => void target.destroy());
  // The types do not know `fd`, with which nothing is connected to (Bun 1.4.5, measured).
  const options = { fd: accepted, hostname: "", port: 0, allowHalfOpen: true, socket };
  Bun.connect(options).then(
    (source) => {
      target
        .on("data", (bytes: Buffer) => waiting.add(source, bytes))
        .on("drain", () => source.resume())
        .once("end", () => waiting.end(source))
        .once("close", () => waiting.end(source));
    },
    () => void target.destroy(),
  );
}

/** The side of a relayed connection that takes bytes. */
interface Sink {
  write(bytes: Buffer): number;
  end(): void;
}

/** What an accepted connection does not take yet; while there is some, its target is not read. */
class Waiting {
  readonly #target: Target;
  #bytes: Buffer = Buffer.alloc(0);
  #isEnding = false;

  constructor(target: Target) {
    this.#target = target;
  }

  add(source: Sink, bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    this.flush(source);
  }

  end(source: Sink): void {
    this.#isEnding = true;
    this.flush(source);
  }

  flush(source: Sink): void {
    if (this.#bytes.length > 0) {
      const written = source.write(this.#bytes);
      this.#bytes = this.#bytes.subarray(Math.max(0, written));
    }
    if (this.#bytes.length > 0) this.#target.pause();
    else if (this.#isEnding) source.end();
    else this.#target.resume();
  }
}
