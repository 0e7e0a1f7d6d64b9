import {
  accessSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { access, chmod, mkdir, open, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { promisify } from "node:util";

/** What is known of a file or folder (stat(2)). */
export interface FileFacts {
  isFile(): boolean;
  readonly size: number;
  readonly mtimeMs: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What tells one place of the file system from another. */
export interface PlaceFacts {
  readonly dev: bigint;
  readonly ino: bigint;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** A file that is open. */
export interface OpenFile {
  writeFile(data: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * The file system, handed in to what reads settings and keeps a data folder, so that the whole daemon can run on one
 * that exists in memory alone. Names, meanings and errors are those of `node:fs`.
 */
export interface Files {
  access(path: string, mode: number): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>;
  /** Waits for the disk, in another thread. */
  fsync(file: number): Promise<void>;
  open(path: string, flags: string | number, mode?: number): Promise<OpenFile>;
  readFile(path: string, encoding: "utf8"): Promise<string>;
  readdir(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
  stat(path: string): Promise<FileFacts>;
  accessSync(path: string, mode: number): void;
  closeSync(file: number): void;
  fchmodSync(file: number, mode: number): void;
  fchownSync(file: number, uid: number, gid: number): void;
  fstatSync(file: number): FileFacts;
  linkSync(existing: string, path: string): void;
  lstatSync(path: string, options: { bigint: true }): PlaceFacts;
  mkdirSync(path: string, options: { recursive: true; mode: number }): unknown;
  openSync(path: string, flags: string | number, mode?: number): number;
  readFileSync(pathOrFile: string | number): Uint8Array;
  readlinkSync(path: string): string;
  realpathSync(path: string): string;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { force: true }): void;
  statSync(path: string, options: { bigint: true }): PlaceFacts;
  writeFileSync(file: number, data: Uint8Array): void;
}

/** The file system of the machine. */
export const systemFiles: Files = {
  access,
  chmod,
  fsync: promisify(fsync),
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  accessSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
};
