import { fstatSync } from "node:fs";
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** `process.stdout` or `process.stderr`; `isTTY` and `columns` are missing where it is no terminal. */
type ProcessStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/**
 * An output of the process. A reader that has gone away (EPIPE) is no error: what is written from then on is
 * dropped, and `gone` is aborted so that a command that streams can end.
 */
export class OutputStream {
  readonly #open: () => ProcessStream;
  readonly #mayBeTerminal: boolean;
  readonly #gone = new AbortController();
  #opened: ProcessStream | undefined;
  #lastWritten = Promise.resolve();

  /** `open` is called once there is something to write, or to ask a terminal: a daemon's start does not wait for it. */
  constructor(open: () => ProcessStream, mayBeTerminal: boolean) {
    this.#open = open;
    this.#mayBeTerminal = mayBeTerminal;
  }

  /** Aborted once nobody reads any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get isTerminal(): boolean {
    return this.#mayBeTerminal && (this.#stream.isTTY ?? false);
  }

  /** Width in columns; 80 where it is not known. */
  get columns(): number {
    return this.#stream.columns || 80;
  }

  write(text: string): void {
    if (this.#gone.signal.aborted) return;
    // The callback of the last write is what tells: an empty write of its own is answered at once.
    this.#lastWritten = new Promise((resolve) => {
      this.#stream.write(text, () => resolve());
    });
  }

  get #stream(): ProcessStream {
    // Whatever an output fails with, there is nowhere left to say so.
    return (this.#opened ??= this.#open().on("error", () => this.#gone.abort()));
  }

  /** Resolves when everything written has left the process, or nobody reads any more. */
  flush(): Promise<void> {
    const { signal } = this.#gone;
    if (signal.aborted) return Promise.resolve();
    const gone = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    return Promise.race([this.#lastWritten, gone]);
  }
}

/** Whether a descriptor can be a terminal; a pipe or a file cannot, and that is told without opening a stream on it. */
export function mayBeTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice();
  } catch {
    return true;
  }
}

/** Whether colour is wanted: only on a terminal that can show it, and not against `--no-color` or NO_COLOR (no-color.org). */
export function wantsColour(
  stream: Pick<OutputStream, "isTerminal">,
  isAllowed: boolean,
  env: Record<string, string | undefined>,
): boolean {
  return isAllowed && stream.isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

/** What a command says: its answer goes to standard output, everything else to standard error. */
export class Screen {
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  readonly #hasColour: boolean;

  constructor(parts: { stdout: OutputStream; stderr: OutputStream; hasColour: boolean }) {
    this.#stdout = parts.stdout;
    this.#stderr = parts.stderr;
    this.#hasColour = parts.hasColour;
  }

  /** Aborted once nobody reads the answer any more. */
  get gone(): AbortSignal {
    return this.#stdout.gone;
  }

  get isTerminal(): boolean {
    return this.#stdout.isTerminal;
  }

  /** Writes lines of the answer. */
  answer(...lines: readonly string[]): void {
    for (const line of lines) this.#stdout.write(`${line}\n`);
  }

  /** Writes a part of the answer as it is. */
  part(text: string): void {
    this.#stdout.write(text);
  }

  /** Writes lines beside the answer. */
  note(...lines: readonly string[]): void {
    for (const line of lines) this.#stderr.write(`${line}\n`);
  }

  /** Empties a terminal's window; does nothing elsewhere. */
  clear(): void {
    if (this.isTerminal) this.#stdout.write("\u001B[2J\u001B[H");
  }

  /** `text` in a style where the answer goes to a terminal with colour, else as it is. */
  style(style: Style, text: string): string {
    return this.#hasColour ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** Rows as lines with aligned columns; a terminal gets the headings too, a pipe gets columns divided by tabs. */
export function tableLines(
  screen: Pick<Screen, "isTerminal" | "style">,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  if (!screen.isTerminal) return rows.map((row) => row.join("\t"));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [screen.style("dim", line(headings)), ...rows.map(line)];
}
