import { openLibc } from "#platform/libc";
import type { NotifySocket } from "./platform.ts";

// Linux, the same for x64 and arm64.
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const CLOCK_MONOTONIC = 1;
/** unix(7): `sun_path`, with the zero at its end. */
const longestPath = 108;

/**
 * Opens the way to a service manager that listens at `address`: what stands in $NOTIFY_SOCKET, a path or, with `@`
 * before it, an abstract name (sd_notify(3)). Undefined where there is no such way on this system. Neither Bun nor
 * Node.js has datagrams on Unix sockets; the program `systemd-notify` would be a process of its own, whose word a
 * manager with `NotifyAccess=main` does not take.
 */
export function openNotifySocket(address: string): NotifySocket | undefined {
  const target = socketAddress(address);
  const libc = open();
  if (!libc || !target) return undefined;
  const socket = libc("socket", AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return undefined;
  return {
    send: (state) => {
      const bytes = Buffer.from(state);
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      const sent = libc("sendto", socket, bytes, bytes.length, flags, target, target.length);
      return sent === bytes.length;
    },
    monotonicUs: () => {
      const time = new BigInt64Array(2);
      libc("clock_gettime", CLOCK_MONOTONIC, time);
      const [seconds = 0n, nanoseconds = 0n] = time;
      return seconds * 1_000_000n + nanoseconds / 1000n;
    },
    close: () => void libc("close", socket),
  };
}

function open() {
  return openLibc({
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "bytes", "u64", "i32", "bytes", "u32"], returns: "i64" },
    clock_gettime: { args: ["i32", "bytes"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
  });
}

/** `struct sockaddr_un`; of an abstract name only the bytes that are given count, of a path the zero as well. */
function socketAddress(address: string): Buffer | undefined {
  const path = Buffer.from(address.startsWith("@") ? `\0${address.slice(1)}` : `${address}\0`);
  if (!/^[/@]./.test(address) || path.length > longestPath) return undefined;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path]);
}
