import { fstatSync, readdirSync, statSync } from "node:fs";
import { constants } from "node:os";
import { openLibc } from "#platform/libc";
import { pointerTo } from "./pointer.ts";
import type { NativeCall } from "./platform.ts";

/** fcntl(2): sets whether a descriptor is closed when another program takes the place of this one. */
const setDescriptorFlags = 2;
const closeOnExec = 1;

/** sigprocmask(2), and the size of glibc's `sigset_t`, the largest there is. */
const block = 0;
const unblock = 1;
const signalSetBytes = 128;

/** Signals that would end the new program, or be lost on it, before it has said what it does with them. */
const heldSignals = ["SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGTERM"] as const;

/** What takes the place of this process: the same number, another program. */
export interface Successor {
  /** Path of the program. */
  executable: string;
  /** Its arguments, without its own name. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Descriptors that stay open for it, beside the three standard ones. */
  keep: ReadonlySet<number>;
}

let libc: NativeCall | undefined;

function open(): NativeCall | undefined {
  libc ??= openLibc({
    fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
    execve: { args: ["bytes", "bytes", "bytes"], returns: "i32" },
    pthread_sigmask: { args: ["i32", "bytes", "bytes"], returns: "i32" },
  });
  return libc;
}

/**
 * Lets another program take the place of this process: execve(2), which returns only where it fails; then it throws.
 * Bun's own `process.execve` closes every descriptor, listening sockets among them. Signals that ask for something
 * wait until the program calls `releaseSignals`.
 */
export function replaceProcess({ executable, args, env, keep }: Successor): never {
  const call = open();
  if (!call) throw new Error("this system cannot let another program take the place of a process");
  const pairs = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const [argv, envp] = [new TextList([executable, ...args]), new TextList(pairs)];
  for (const fd of openDescriptors()) call("fcntl", fd, setDescriptorFlags, keep.has(fd) ? 0 : closeOnExec);
  maskSignals(block);
  call("execve", cText(executable), argv.pointers, envp.pointers);
  maskSignals(unblock);
  throw new Error(`${executable} cannot be run, with ${argv.texts.length + envp.texts.length} texts`);
}

/** Lets the signals in that came while this program took the place of another. */
export function releaseSignals(): void {
  maskSignals(unblock);
}

/** From here on a descriptor that was kept is this program's alone: what it starts does not get it. */
export function ownDescriptor(fd: number): void {
  open()?.("fcntl", fd, setDescriptorFlags, closeOnExec);
}

/** The descriptor under which a file is open; undefined where none is, or it cannot be told. */
export function descriptorOf(path: string): number | undefined {
  const wanted = statSync(path);
  return openDescriptors().find((fd) => {
    try {
      const { dev, ino } = fstatSync(fd);
      return dev === wanted.dev && ino === wanted.ino;
    } catch {
      return false;
    }
  });
}

/** Those of this process, the standard ones aside; none where the system does not show them. */
export function openDescriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .filter((fd) => fd > 2);
  } catch {
    return [];
  }
}

function maskSignals(how: number): void {
  const set = new Uint8Array(signalSetBytes);
  for (const name of heldSignals) {
    const bit = constants.signals[name] - 1;
    set[bit >> 3] = (set[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  open()?.("pthread_sigmask", how, set, new Uint8Array(signalSetBytes));
}

function cText(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** An array of texts as C reads it, which holds them in memory as long as it is held itself. */
class TextList {
  readonly texts: readonly Buffer[];
  readonly pointers: BigInt64Array;

  constructor(texts: readonly string[]) {
    this.texts = texts.map(cText);
    this.pointers = new BigInt64Array([...this.texts.map(pointerTo), 0n]);
  }
}
