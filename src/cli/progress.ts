import type { Clock } from "../core/clock.ts";
import type { OutputStream } from "./screen.ts";

/** More often nobody can read it. */
const pauseMs = 200;

/**
 * How far long work has come: one line on standard error that is written over again, on a terminal only. Elsewhere
 * nothing of it is written.
 */
export class Progress {
  readonly #stderr: Pick<OutputStream, "isTerminal" | "columns" | "write">;
  readonly #clock: Pick<Clock, "now">;
  #shownAt = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(parts: {
    stderr: Pick<OutputStream, "isTerminal" | "columns" | "write">;
    clock: Pick<Clock, "now">;
  }) {
    this.#stderr = parts.stderr;
    this.#clock = parts.clock;
  }

  /** Shows a text, unless another was shown a moment ago. */
  show(text: string): void {
    const now = this.#clock.now();
    if (!this.#stderr.isTerminal || now - this.#shownAt < pauseMs) return;
    this.#shownAt = now;
    this.#isShown = true;
    this.#stderr.write(`\r\u001B[K${text.slice(0, Math.max(1, this.#stderr.columns - 1))}`);
  }

  /** Takes the line away: what is said next stands in its place. */
  end(): void {
    if (this.#isShown) this.#stderr.write("\r\u001B[K");
    this.#isShown = false;
  }
}

/** So many bytes, as people read them: `512 B`, `3.4 MiB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
