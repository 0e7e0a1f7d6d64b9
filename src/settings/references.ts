import { dirname, resolve } from "node:path";
import { decodeUtf8, maxFileBytes } from "./document.ts";

/** What references are read from; `readFile` throws where a file cannot be read. */
export interface Outside {
  /** The settings file: `file:` references are relative to its folder. */
  path: string;
  env: Readonly<Record<string, string | undefined>>;
  readFile: (path: string) => Uint8Array;
}

/** Where a reference leads. */
export type ReferenceKind = "env" | "file";

/** A text of the settings, resolved. */
export type Resolved =
  | { kind: "text"; text: string; reference: ReferenceKind | undefined }
  /** `message` completes "KEY …" and says what is missing. */
  | { kind: "unresolved"; reference: ReferenceKind; message: string };

const variable = /^\$([A-Za-z_][A-Za-z0-9_]*)$/;
const filePrefix = "file:";

/** Resolves references; reads each file once, and remembers what was asked for. */
export class References {
  readonly #outside: Outside;
  readonly #files = new Map<string, Resolved>();
  readonly #variables = new Set<string>();

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  /** Absolute paths of the files that were referred to, unreadable ones included. */
  get files(): string[] {
    return [...this.#files.keys()];
  }

  /** Names of the environment variables that were referred to, unset ones included. */
  get variables(): string[] {
    return [...this.#variables];
  }

  /** The text that `written` stands for: a whole `$NAME` or `file:PATH` is a reference, `$$` stands for `$`. */
  resolve(written: string): Resolved {
    const [, name] = variable.exec(written) ?? [];
    if (name !== undefined) return this.#fromEnvironment(name);
    if (written.startsWith(filePrefix)) return this.#fromFile(written.slice(filePrefix.length));
    const text = written.startsWith("$$") ? written.slice(1) : written;
    return { kind: "text", text, reference: undefined };
  }

  #fromEnvironment(name: string): Resolved {
    this.#variables.add(name);
    // `env` may be any object: what it inherits is no variable.
    const text = Object.hasOwn(this.#outside.env, name) ? this.#outside.env[name] : undefined;
    if (text !== undefined) return { kind: "text", text, reference: "env" };
    const message = `refers to the environment variable ${name}, which is not set`;
    return { kind: "unresolved", reference: "env", message };
  }

  #fromFile(written: string): Resolved {
    if (written === "")
      return { kind: "unresolved", reference: "file", message: "names no file after file:" };
    const path = resolve(dirname(this.#outside.path), written);
    const known = this.#files.get(path);
    if (known) return known;
    const resolved = this.#read(path);
    this.#files.set(path, resolved);
    return resolved;
  }

  #read(path: string): Resolved {
    const unresolved = (why: string): Resolved => {
      return { kind: "unresolved", reference: "file", message: `refers to the file ${path}, which ${why}` };
    };
    try {
      const bytes = this.#outside.readFile(path);
      if (bytes.length > maxFileBytes) return unresolved(`is larger than ${maxFileBytes} bytes`);
      const text = decodeUtf8(bytes);
      if (text === undefined) return unresolved("is not UTF-8 text");
      return { kind: "text", text: text.replace(/^\uFEFF/, "").replace(/\r?\n$/, ""), reference: "file" };
    } catch (thrown) {
      return unresolved(whyUnreadable(thrown));
    }
  }
}

function whyUnreadable(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (code === "ENOENT" || code === "ENOTDIR") return "does not exist";
  if (code === "EACCES" || code === "EPERM") return "may not be read";
  if (code === "EISDIR") return "is a folder";
  return `cannot be read${code && ` (${code})`}`;
}
