import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Clock } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";

/** How much of what a child says on standard error is kept, for the sentence on why it failed. */
const keptErrorCharacters = 2000;
const startLimitMs = 30_000;
/** Longer than the daemon's own default grace. */
const stopLimitMs = 40_000;

/** This same program as a command: the executable alone, or the runtime and the file it was started with. */
function ownCommand(): [string, ...string[]] {
  const file = process.argv[1] ?? "";
  // Inside an executable built by Bun the "file" lies in its own virtual folder.
  const isExecutable = file === "" || /^(\/\$bunfs\/|[A-Z]:[/\\]~BUN[/\\])/.test(file);
  return isExecutable ? [process.execPath] : [process.execPath, file];
}

/** A daemon run by this same program as a child, on folders of its own. */
export class ChildDaemon {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Starts one and resolves once it serves; one that does not is ended and the error says what it said. */
  static async start(options: {
    settings: string;
    data: string;
    env: Record<string, string | undefined>;
    clock: Clock;
  }): Promise<ChildDaemon> {
    const [program, ...args] = ownCommand();
    const flags = ["serve", "--settings", options.settings, "--data", options.data, "--log", "json"];
    // The variables that name the user's own daemon are not for this one.
    const env = Object.fromEntries(
      Object.entries(options.env).filter(([name]) => !name.startsWith("SEGUE_")),
    );
    const child = spawn(program, [...args, ...flags], { stdio: ["ignore", "pipe", "pipe"], env });
    const daemon = new ChildDaemon(child, options.clock);
    const said = keepTail(child.stderr);
    const limit = new AbortController();
    const hasStarted = await Promise.race([
      saysListening(child.stdout),
      daemon.#ended.then(() => false),
      options.clock.sleep(startLimitMs, limit.signal).then(() => false),
    ]);
    limit.abort();
    if (hasStarted) return daemon;
    await daemon.kill();
    throw new SegueError("internal", `The daemon did not start: ${said().trim() || "it said nothing"}`);
  }

  /** Ends it as `kill -9` does; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Asks it to stop and resolves when the process is gone; one that takes too long is killed. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const limit = new AbortController();
    const limitReached = this.#clock.sleep(stopLimitMs, limit.signal);
    await Promise.race([this.#ended, limitReached]);
    limit.abort();
    await this.kill();
  }
}

async function saysListening(stdout: Readable): Promise<boolean> {
  for await (const line of createInterface({ input: stdout })) {
    if (/ listening on /.test(line)) {
      stdout.resume();
      return true;
    }
  }
  return false;
}

function keepTail(stderr: Readable): () => string {
  let tail = "";
  stderr.setEncoding("utf8");
  stderr.on("data", (text: string) => {
    tail = (tail + text).slice(-keptErrorCharacters);
  });
  return () => tail;
}
