import { dirname } from "node:path";
import type { FileFacts, Files, OpenFile, PlaceFacts } from "../../src/core/files.ts";
import type { SimulatedProcess } from "./process.ts";

interface File {
  bytes: Uint8Array;
  mode: number;
  mtimeMs: number;
  ino: bigint;
}

/** What an operation on a file fails with, as the system says it. */
function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

const encoder = new TextEncoder();

/** Files in memory, without symlinks. They survive every process. */
export class VirtualDisk {
  /** Processes find no room to write; whoever edits files by hand writes them elsewhere and moves them here. */
  isFull = false;
  /** Told when a process has read a file. */
  onRead: (path: string) => void = () => {};
  readonly #files = new Map<string, File>();
  readonly #folders = new Map<string, bigint>();
  readonly #now: () => number;
  readonly #onChange: (folder: string, name: string) => void;
  #lastIno = 1n;

  /** `onChange` is told of every change of a name in a folder, as native events would. */
  constructor(now: () => number, onChange: (folder: string, name: string) => void) {
    this.#now = now;
    this.#onChange = onChange;
    this.#folders.set("/", this.#lastIno);
  }

  makeFolder(path: string): void {
    if (this.#folders.has(path)) return;
    this.makeFolder(dirname(path));
    this.#folders.set(path, ++this.#lastIno);
  }

  hasFolder(path: string): boolean {
    return this.#folders.has(path);
  }

  /** The text of a file; undefined where there is none. */
  textOf(path: string): string | undefined {
    const file = this.#files.get(path);
    return file && new TextDecoder("utf-8", { ignoreBOM: true }).decode(file.bytes);
  }

  /** Another file takes the place of what was there, in one step. */
  replace(path: string, text: string): void {
    this.#put(path, { bytes: encoder.encode(text), mode: 0o600, mtimeMs: this.#now(), ino: ++this.#lastIno });
  }

  /** The same file gets another content. */
  overwrite(path: string, text: string): void {
    const file = this.#files.get(path);
    if (!file) return this.replace(path, text);
    this.#fill(path, file, encoder.encode(text));
  }

  remove(path: string): void {
    if (this.#files.delete(path)) this.#changed(path);
  }

  /** Sets who may read and write a file, if it is there. */
  chmod(path: string, mode: number): void {
    const file = this.#files.get(path);
    if (!file) return;
    file.mode = mode;
    this.#changed(path);
  }

  file(path: string): File {
    const file = this.#files.get(path);
    if (!file) throw systemError("ENOENT", path);
    return file;
  }

  create(path: string, mode: number): File {
    if (!this.#folders.has(dirname(path))) throw systemError("ENOENT", path);
    if (this.isFull) throw systemError("ENOSPC", path);
    const file = { bytes: new Uint8Array(), mode, mtimeMs: this.#now(), ino: ++this.#lastIno };
    this.#put(path, file);
    return file;
  }

  write(path: string, file: File, bytes: Uint8Array): void {
    if (this.isFull && bytes.length > 0) throw systemError("ENOSPC", path);
    this.#fill(path, file, bytes);
  }

  #fill(path: string, file: File, bytes: Uint8Array): void {
    file.bytes = bytes;
    file.mtimeMs = this.#now();
    if (this.#files.get(path) === file) this.#changed(path);
  }

  rename(from: string, to: string): void {
    const file = this.file(from);
    this.#files.delete(from);
    this.#changed(from);
    this.#put(to, file);
  }

  exchange(one: string, other: string): boolean {
    const [first, second] = [this.#files.get(one), this.#files.get(other)];
    if (!first || !second) return false;
    this.#put(one, second);
    this.#put(other, first);
    return true;
  }

  link(existing: string, path: string): void {
    if (this.#files.has(path)) throw systemError("EEXIST", path);
    this.#put(path, this.file(existing));
  }

  names(folder: string): string[] {
    return [...this.#files.keys()].filter((path) => dirname(path) === folder);
  }

  place(path: string): PlaceFacts {
    const folder = this.#folders.get(path);
    const ino = folder ?? this.file(path).ino;
    return { dev: 1n, ino, isDirectory: () => folder !== undefined, isSymbolicLink: () => false };
  }

  facts(path: string): FileFacts {
    if (this.#folders.has(path))
      return { isFile: () => false, size: 0, mtimeMs: 0, mode: 0o40700, uid: 1, gid: 1 };
    return factsOf(this.file(path));
  }

  #put(path: string, file: File): void {
    this.#files.set(path, file);
    this.#changed(path);
  }

  #changed(path: string): void {
    this.#onChange(dirname(path), path.slice(path.lastIndexOf("/") + 1));
  }
}

function factsOf({ bytes, mtimeMs, mode }: File): FileFacts {
  return { isFile: () => true, size: bytes.length, mtimeMs, mode: 0o100000 | mode, uid: 1, gid: 1 };
}

/** Access modes and flags of open(2) on Linux. */
const writable = 2;
const truncating = new Set<string | number>(["w", "wx"]);

/** The disk as one process sees it. Nothing that a dead one asks for is done or answered. */
export function filesFor(process: SimulatedProcess, disk: VirtualDisk, syncMs: () => number): Files {
  const outside = <T>(work: () => T): Promise<T> => process.outside(work);
  const now = <T>(work: () => T): T => {
    process.pass();
    return work();
  };
  const opened = new Map<number, { path: string; file: File | undefined }>();
  const openAt = (number: number): { path: string; file: File | undefined } => {
    const found = opened.get(number);
    if (!found) throw systemError("EBADF", String(number));
    return found;
  };
  const fileAt = (number: number): File => {
    const { path, file } = openAt(number);
    if (!file) throw systemError("EISDIR", path);
    return file;
  };
  let lastOpened = 2;
  return {
    access: (path, mode) => outside(() => requireAccess(disk, path, mode)),
    chmod: (path, mode) => outside(() => disk.chmod(path, mode)),
    fsync: async () => {
      await outside(() => {});
      const ms = syncMs();
      if (ms > 0) await process.sleep(ms);
    },
    mkdir: (path) => outside(() => disk.makeFolder(path)),
    open: (path, flags, mode) => outside(() => openFile(process, disk, { path, flags, mode })),
    readFile: (path) => outside(() => new TextDecoder().decode(readable(disk, path).bytes)),
    readdir: (path) => outside(() => disk.names(path).map((name) => name.slice(path.length + 1))),
    rename: (from, to) => outside(() => disk.rename(from, to)),
    rm: (path) => outside(() => disk.remove(path)),
    stat: (path) => outside(() => disk.facts(path)),
    accessSync: (path, mode) => now(() => requireAccess(disk, path, mode)),
    closeSync: (number) => void opened.delete(number),
    fchmodSync: (number, mode) =>
      now(() => {
        fileAt(number).mode = mode & 0o777;
      }),
    fchownSync: () => now(() => {}),
    fstatSync: (number) =>
      now(() => {
        const { path, file } = openAt(number);
        return file ? factsOf(file) : disk.facts(path);
      }),
    linkSync: (existing, path) => now(() => disk.link(existing, path)),
    lstatSync: (path) => now(() => disk.place(path)),
    mkdirSync: (path) => now(() => disk.makeFolder(path)),
    openSync: (path, flags, mode = 0o600) =>
      now(() => {
        opened.set(++lastOpened, { path, file: fileOrFolder(disk, { path, flags, mode }) });
        return lastOpened;
      }),
    readFileSync: (place) =>
      now(() => (typeof place === "number" ? readAt(place) : readable(disk, place)).bytes.slice()),
    readlinkSync: (path) => {
      throw systemError("EINVAL", path);
    },
    realpathSync: (path) => now(() => (disk.place(path), path)),
    renameSync: (from, to) => now(() => disk.rename(from, to)),
    rmSync: (path) => now(() => disk.remove(path)),
    statSync: (path) => now(() => disk.place(path)),
    writeFileSync: (number, data) => now(() => disk.write(openAt(number).path, fileAt(number), data.slice())),
  };

  function readAt(number: number): File {
    disk.onRead(openAt(number).path);
    return fileAt(number);
  }
}

function requireAccess(disk: VirtualDisk, path: string, mode: number): void {
  if (disk.hasFolder(path)) return;
  if ((mode & writable) !== 0 && (disk.file(path).mode & 0o200) === 0) throw systemError("EACCES", path);
}

function readable(disk: VirtualDisk, path: string): File {
  const file = disk.file(path);
  if ((file.mode & 0o400) === 0) throw systemError("EACCES", path);
  disk.onRead(path);
  return file;
}

/** What is opened; undefined for a folder. */
function fileOrFolder(
  disk: VirtualDisk,
  { path, flags, mode }: { path: string; flags: string | number; mode: number },
): File | undefined {
  if (disk.hasFolder(path)) return undefined;
  return truncating.has(flags) ? disk.create(path, mode) : readable(disk, path);
}

function openFile(
  process: SimulatedProcess,
  disk: VirtualDisk,
  { path, flags, mode = 0o600 }: { path: string; flags: string | number; mode: number | undefined },
): OpenFile {
  const file = fileOrFolder(disk, { path, flags, mode });
  const outside = <T>(work: () => T): Promise<T> => process.outside(work);
  return {
    writeFile: (data) =>
      outside(() => {
        if (!file) throw systemError("EISDIR", path);
        disk.write(path, file, typeof data === "string" ? encoder.encode(data) : data.slice());
      }),
    close: () => outside(() => {}),
  };
}
