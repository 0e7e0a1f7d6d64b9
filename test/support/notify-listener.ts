import { openLibc } from "#platform/libc";
import type { NativeCall } from "../../src/platform/platform.ts";

// Linux alone, where service managers listen on Unix datagrams; Bun has none (bind(2), recv(2)).
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const longestState = 4096;

const functions = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "bytes", "u32"], returns: "i32" },
  recv: { args: ["i32", "bytes", "u64", "i32"], returns: "i64" },
  close: { args: ["i32"], returns: "i32" },
} as const;

/** A service manager's end of $NOTIFY_SOCKET: a datagram socket that keeps what it was told, in order. */
export class NotifyListener {
  readonly #libc: NativeCall;
  readonly #socket: number;
  readonly #told: Map<string, string>[] = [];

  /** Listens at a path, or with `@` before it at an abstract name. */
  constructor(address: string) {
    const libc = openLibc(functions);
    if (!libc) throw new Error("there is no C library of Linux here");
    this.#libc = libc;
    this.#socket = libc("socket", AF_UNIX, SOCK_DGRAM, 0);
    const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer);
    const name = Buffer.from(address.startsWith("@") ? `\0${address.slice(1)}` : `${address}\0`);
    const place = Buffer.concat([family, name]);
    if (this.#libc("bind", this.#socket, place, place.length) !== 0)
      throw new Error(`nothing can listen at ${address}`);
  }

  /** Every state so far, by its variables. */
  told(): readonly ReadonlyMap<string, string>[] {
    const buffer = Buffer.alloc(longestState);
    for (;;) {
      const length = this.#libc("recv", this.#socket, buffer, buffer.length, MSG_DONTWAIT);
      if (length < 0) return this.#told;
      const lines = buffer.toString("utf8", 0, length).split("\n");
      this.#told.push(new Map(lines.map((line) => [line.split("=", 1).join(), line.replace(/^[^=]*=/, "")])));
    }
  }

  /** What it was told of its life so far, without the signs of it: READY, RELOADING, STOPPING. */
  states(): string[] {
    const known = ["READY", "RELOADING", "STOPPING"];
    return this.told().flatMap((state) => known.filter((name) => state.get(name) === "1"));
  }

  /** Nobody listens any more. */
  close(): void {
    this.#libc("close", this.#socket);
  }
}
