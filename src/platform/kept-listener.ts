import { openLibc } from "#platform/libc";
import type { NativeCall } from "./platform.ts";
import { pointerTo } from "./pointer.ts";
import { openDescriptors, ownDescriptor } from "./process-image.ts";

/** socket(7) of Linux: options of the level of sockets. */
const levelOfSockets = 1;
const acceptsConnections = 30;
const sharesPort = 15;
const choosesByFilter = 51;
/** accept4(2): not blocking, closed on exec. */
const acceptFlags = 0o2004000;
/** Families of addresses (socket(2)), and the size of the largest address. */
const families = { unix: 1, internet: 2, internet6: 10 } as const;
const addressBytes = 128;

/** A listening socket of this process: its TCP port, or null for one in the file system. */
export interface ListeningSocket {
  fd: number;
  port: number | null;
}

let libc: NativeCall | undefined;

function open(): NativeCall | undefined {
  libc ??= openLibc({
    dup: { args: ["i32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
    getsockname: { args: ["i32", "bytes", "bytes"], returns: "i32" },
    getsockopt: { args: ["i32", "i32", "i32", "bytes", "bytes"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "bytes", "u32"], returns: "i32" },
    accept4: { args: ["i32", "bytes", "bytes", "i32"], returns: "i32" },
  });
  return libc;
}

/**
 * Keeps listening sockets of this process open under descriptors of their own: their listeners may be stopped, and who
 * connects then is not refused but waits, in the system's queue, for whoever accepts there next. `isWanted` is asked
 * with the port, null for a socket in the file system. None where the system cannot.
 */
export function keepListening(isWanted: (port: number | null) => boolean): ListeningSocket[] {
  return listeningSockets().flatMap(({ fd, port }) => {
    if (!isWanted(port)) return [];
    const kept = open()?.("dup", fd) ?? -1;
    return kept < 0 ? [] : [{ fd: kept, port }];
  });
}

/** Lets another socket of this user listen at the address of a kept one, too. */
export function shareAddress(fd: number): void {
  ownDescriptor(fd);
  setOption(fd, sharesPort, Uint8Array.of(1, 0, 0, 0));
}

/**
 * Empties a kept socket: `take` gets each connection that waits at it, and who comes from here on comes to the listener
 * that shares its address by now. Then it is closed. Nobody is refused.
 */
export function passOn({ fd, port }: ListeningSocket, take: (accepted: number) => void): void {
  // 1. Of those that share an address the second to have come gets every connection from here on. A socket closed
  //    with connections in its queue would reset them; this one gets none any more.
  if (port !== null) chooseOnly(fd, 1);
  for (let accepted = accept(fd); accepted >= 0; accepted = accept(fd)) take(accepted);
  open()?.("close", fd);
}

/**
 * Others of this user who ask to share the port of this process's own listener get no connection. They cannot be kept
 * from listening there: the system goes on to share an address that was shared once.
 */
export function holdAlone(port: number): void {
  for (const listening of listeningSockets()) if (listening.port === port) chooseOnly(listening.fd, 0);
}

/** Of those that share the address of a socket the `index`th gets every connection; beyond their number all do. */
function chooseOnly(fd: number, index: number): void {
  // A filter of one instruction (bpf(4)): return this number.
  const instruction = new Uint8Array(8);
  const filter = new DataView(instruction.buffer);
  filter.setUint16(0, 6, true);
  filter.setUint32(4, index, true);
  const program = new Uint8Array(16);
  const header = new DataView(program.buffer);
  header.setUint16(0, 1, true);
  header.setBigUint64(8, pointerTo(instruction), true);
  setOption(fd, choosesByFilter, program);
}

function listeningSockets(): ListeningSocket[] {
  return openDescriptors().flatMap((fd) => {
    const port = accepts(fd) ? portOf(fd) : undefined;
    return port === undefined ? [] : [{ fd, port }];
  });
}

function accept(fd: number): number {
  return open()?.("accept4", fd, new Uint8Array(addressBytes), lengthOf(addressBytes), acceptFlags) ?? -1;
}

function setOption(fd: number, option: number, value: Uint8Array): void {
  open()?.("setsockopt", fd, levelOfSockets, option, value, value.length);
}

function accepts(fd: number): boolean {
  const value = new Uint8Array(4);
  const result = open()?.("getsockopt", fd, levelOfSockets, acceptsConnections, value, lengthOf(4));
  return result === 0 && value[0] === 1;
}

/** The port of a TCP socket, null for one in the file system, undefined for another. */
function portOf(fd: number): number | null | undefined {
  const bytes = new Uint8Array(addressBytes);
  if (open()?.("getsockname", fd, bytes, lengthOf(addressBytes)) !== 0) return undefined;
  const address = new DataView(bytes.buffer);
  const family = address.getUint16(0, true);
  if (family === families.unix) return null;
  const isInternet = family === families.internet || family === families.internet6;
  return isInternet ? address.getUint16(2, false) : undefined;
}

/** A length that the system reads and writes (`socklen_t`). */
function lengthOf(bytes: number): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes, true);
  return length;
}
