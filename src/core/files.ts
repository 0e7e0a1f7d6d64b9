import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
} from "node:fs";
import {
  access,
  chmod,
  link,
  mkdir,
  open,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";

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
  stat(): Promise<FileFacts>;
  readFile(): Promise<Uint8Array>;
  writeFile(data: string | Uint8Array): Promise<void>;
  chmod(mode: number): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The file system, handed in to what reads settings and keeps a data folder, so that the whole daemon can run on one
 * that exists in memory alone. Names, meanings and errors are those of `node:fs`.
 */
export interface Files {
  access(path: string, mode: number): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  link(existing: string, path: string): Promise<void>;
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>;
  open(path: string, flags: string | number, mode?: number): Promise<OpenFile>;
  readFile(path: string, encoding: "utf8"): Promise<string>;
  readdir(path: string): Promise<string[]>;
  readlink(path: string): Promise<string>;
  realpath(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
  stat(path: string): Promise<FileFacts>;
  closeSync(file: number): void;
  fstatSync(file: number): FileFacts;
  lstatSync(path: string, options: { bigint: true }): PlaceFacts;
  openSync(path: string, flags: number): number;
  readFileSync(pathOrFile: string | number): Uint8Array;
  readlinkSync(path: string): string;
  realpathSync(path: string): string;
  renameSync(from: string, to: string): void;
  statSync(path: string, options: { bigint: true }): PlaceFacts;
}

/** The file system of the machine. */
export const systemFiles: Files = {
  access,
  chmod,
  link,
  mkdir,
  open,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
};
