import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Clock } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";
import { ownProgram } from "./own-program.ts";

/** How much of what a child says on standard error is kept, for the sentence on why it failed. */
const keptErrorCharacters = 2000;
const startLimitMs = 30_000;
/** Longer than the daemon's own default grace. */
const stopLimitMs = 40_000;

/** How a process ended: its exit code, or the signal that ended it. */
export interface Ending {
  exitCode: number | null;
  signal: string | null;
}

/** A daemon run by this same program as a child. */
export class ChildDaemon {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #kept: () => string;
  /** Resolves when the process is gone. */
  readonly ended: Promise<Ending>;
  /** Resolves with the line that says where it serves; with undefined where it ended, or took 30 s, without. */
  readonly serving: Promise<string | undefined>;

  private constructor(child: ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    this.#kept = child.stderr ? keepTail(child.stderr) : () => "";
    this.ended = new Promise((resolve) => {
      child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
      child.once("error", () => resolve({ exitCode: null, signal: null }));
    });
    this.serving = this.#untilServing();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Runs `serve` with these arguments and answers at once. `errors`: what it says on standard error is kept, or goes
   * where this process's own does. Its standard input is a pipe that closes with this process, however that ends.
   */
  static spawn(options: {
    args: readonly string[];
    env: Record<string, string | undefined>;
    clock: Clock;
    errors: "kept" | "shared";
  }): ChildDaemon {
    const { executable, before } = ownProgram();
    const command = [...before, "serve", ...options.args];
    const errors = options.errors === "kept" ? "pipe" : "inherit";
    const child = spawn(executable, command, { stdio: ["pipe", "pipe", errors], env: options.env });
    return new ChildDaemon(child, options.clock);
  }

  /** Starts one on folders of its own and resolves once it serves; one that does not is ended and the error says what it said. */
  static async start(options: {
    settings: string;
    data: string;
    env: Record<string, string | undefined>;
    clock: Clock;
  }): Promise<ChildDaemon> {
    const { settings, data, clock } = options;
    // The variables that name the user's own daemon are not for this one.
    const env = Object.fromEntries(
      Object.entries(options.env).filter(([name]) => !name.startsWith("SEGUE_")),
    );
    const args = ["--settings", settings, "--data", data, "--log", "json"];
    const daemon = ChildDaemon.spawn({ args, env, clock, errors: "kept" });
    if ((await daemon.serving) !== undefined) return daemon;
    await daemon.kill();
    throw new SegueError(
      "internal",
      `The daemon did not start: ${daemon.#kept().trim() || "it said nothing"}`,
    );
  }

  /** Ends it as `kill -9` does; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** Asks it to stop and resolves when the process is gone; one that takes longer than `limitMs` is killed. */
  async stop(limitMs = stopLimitMs): Promise<void> {
    this.#child.kill("SIGTERM");
    const limit = new AbortController();
    const limitReached = this.#clock.sleep(limitMs, limit.signal);
    await Promise.race([this.ended, limitReached]);
    limit.abort();
    await this.kill();
  }

  async #untilServing(): Promise<string | undefined> {
    const limit = new AbortController();
    const line = await Promise.race([
      this.#child.stdout ? listeningLine(this.#child.stdout, this.ended) : undefined,
      this.#clock.sleep(startLimitMs, limit.signal).then(() => undefined),
    ]);
    limit.abort();
    return line;
  }
}

/** Undefined only once the process is gone: its output may end before. */
async function listeningLine(stdout: Readable, ended: Promise<unknown>): Promise<string | undefined> {
  for await (const line of createInterface({ input: stdout })) {
    if (/ listening on /.test(line)) {
      stdout.resume();
      return line;
    }
  }
  await ended;
  return undefined;
}

function keepTail(stderr: Readable): () => string {
  let tail = "";
  stderr.setEncoding("utf8");
  stderr.on("data", (text: string) => {
    tail = (tail + text).slice(-keptErrorCharacters);
  });
  return () => tail;
}
