import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { basename } from "node:path";
import type { Clock } from "../core/clock.ts";
import { errorText } from "../core/errors.ts";
import { endProcessGroup } from "./process-group.ts";
import type { Failure, Provider, ProviderConfig, TurnPart, TurnRequest } from "./provider.ts";

/** What a program's standard error adds to the message of a failure: its last so many characters. */
const stderrCharacters = 2000;

/**
 * A program may leave children behind that hold its outputs open. Once it has exited, an output on which nothing
 * arrives for this long counts as closed; such children are left alone.
 */
const leftOpenMs = 1000;

interface CommandDeps {
  clock: Clock;
  /** Names of environment variables that settings refer to: the program does not inherit them. */
  withheldEnv: () => readonly string[];
}

/** How a program ended, or why it could not be started. */
type Exit =
  | { kind: "exited"; code: number | null; signal: NodeJS.Signals | null }
  | { kind: "not_started"; error: unknown };

/**
 * Runs `argv` once a turn, in a process group of its own: `{session, system, turns, content}` as JSON on standard
 * input, the reply on standard output. An abort sends its group SIGTERM, after 2 s SIGKILL; the stream ends when
 * the group is gone. It reports no usage.
 */
export function createCommand(config: Pick<ProviderConfig, "argv">, deps: CommandDeps): Provider {
  return { call: (request) => runCommand(config.argv, deps, request) };
}

async function* runCommand(
  argv: readonly string[],
  deps: CommandDeps,
  request: TurnRequest,
): AsyncGenerator<TurnPart> {
  if (request.signal.aborted) return;
  const program = argv[0] ?? "";
  const start = startProgram(argv, deps.withheldEnv());
  if (start.kind === "not_started") {
    yield { type: "failed", failure: exitFailure(program, start, "") };
    return;
  }
  const running = new RunningProgram(start.child, deps.clock, request);
  try {
    for await (const text of running.output()) yield { type: "text", text };
    const exit = await running.exit;
    if (request.signal.aborted) return;
    if (exit.kind === "exited" && exit.code === 0) yield { type: "end", finish: "stop", usage: null };
    else yield { type: "failed", failure: exitFailure(program, exit, await running.lastWords()) };
  } finally {
    await running.release();
  }
}

/** Some faults of a start are thrown (an argument list that is too long), others come as an event. */
function startProgram(
  [program = "", ...args]: readonly string[],
  withheld: readonly string[],
): Extract<Exit, { kind: "not_started" }> | { kind: "started"; child: ChildProcessWithoutNullStreams } {
  const hidden = new Set(withheld);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !hidden.has(name)));
  try {
    const child = spawn(program, args, { detached: true, stdio: ["pipe", "pipe", "pipe"], env });
    return { kind: "started", child };
  } catch (error) {
    return { kind: "not_started", error };
  }
}

/** One run of a program: owns the child, its outputs and the listeners on them until `release`. */
class RunningProgram {
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #clock: Clock;
  readonly #request: TurnRequest;
  readonly #closed: Promise<void>;
  #stderr = "";
  #hasExited = false;
  #isReading = false;
  #cancelLeftOpen: () => void = () => undefined;
  #ending: Promise<void> | undefined;

  constructor(child: ChildProcessWithoutNullStreams, clock: Clock, request: TurnRequest) {
    this.#child = child;
    this.#clock = clock;
    this.#request = request;
    this.exit = this.#awaitExit();
    this.#closed = new Promise((resolve) => child.once("close", () => resolve()));
    this.#collectStderr();
    this.#writeInput();
    request.signal.addEventListener("abort", this.#end, { once: true });
  }

  /** The text of standard output as it arrives, whole characters only, to its end. */
  async *output(): AsyncGenerator<string> {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    for await (const chunk of this.#chunks()) {
      const text = decoder.decode(chunk, { stream: true });
      if (text !== "") yield text;
    }
    const rest = decoder.decode();
    if (rest !== "") yield rest;
  }

  /** What the program said last on standard error. */
  async lastWords(): Promise<string> {
    const waiting = new AbortController();
    await Promise.race([this.#closed, this.#clock.sleep(leftOpenMs, waiting.signal)]);
    waiting.abort();
    return this.#stderr;
  }

  /** Ends what still runs and lets go of everything. */
  async release(): Promise<void> {
    if (!this.#hasExited) this.#end();
    this.#request.signal.removeEventListener("abort", this.#end);
    await this.#ending;
    await this.exit;
    this.#cancelLeftOpen();
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  readonly #end = (): void => {
    const { pid } = this.#child;
    if (pid !== undefined) this.#ending ??= endProcessGroup(pid, this.exit, this.#clock);
  };

  #awaitExit(): Promise<Exit> {
    return new Promise((resolve) => {
      const ended = (exit: Exit): void => {
        this.#hasExited = true;
        this.#watchLeftOpen();
        resolve(exit);
      };
      this.#child.once("exit", (code, signal) => ended({ kind: "exited", code, signal }));
      this.#child.on("error", (error) => {
        // A child that could not be started never exits; other errors (a signal not sent) are no end.
        if (this.#child.pid === undefined) ended({ kind: "not_started", error });
      });
    });
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    const chunks = this.#child.stdout.iterator({ destroyOnReturn: false });
    try {
      for (;;) {
        this.#isReading = true;
        this.#watchLeftOpen();
        const next: IteratorResult<Uint8Array> = await chunks.next();
        this.#isReading = false;
        this.#cancelLeftOpen();
        if (next.done === true) return;
        this.#request.onActivity();
        yield next.value;
      }
    } catch {
      // A pipe that breaks, or was closed because it was left open, has ended: how is told by the exit.
    }
  }

  /** While someone waits for output of a program that has exited, its silence is measured. */
  #watchLeftOpen(): void {
    this.#cancelLeftOpen();
    if (!this.#hasExited || !this.#isReading) return;
    this.#cancelLeftOpen = this.#clock.after(leftOpenMs, () => this.#child.stdout.destroy());
  }

  #collectStderr(): void {
    this.#child.stderr.setEncoding("utf8");
    this.#child.stderr.on("error", () => undefined);
    this.#child.stderr.on("data", (text: string) => {
      this.#request.onActivity();
      this.#stderr = (this.#stderr + text).slice(-stderrCharacters);
    });
  }

  #writeInput(): void {
    const { session, system, turns, content } = this.#request;
    const neutral = turns.map((turn) => ({ role: turn.role, content: turn.content }));
    // A program need not read its input: a pipe that it closed is no failure.
    this.#child.stdin.on("error", () => undefined);
    this.#child.stdin.end(JSON.stringify({ session, system, turns: neutral, content }));
  }
}

function exitFailure(program: string, exit: Exit, stderr: string): Failure {
  const name = basename(program);
  if (exit.kind === "not_started") return startFailure(program, exit.error);
  const how = exit.signal === null ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`;
  const said = stderr.trim() === "" ? "" : `: ${stderr.toWellFormed()}`;
  return { kind: "overloaded", message: `command ${name} ${how}${said}` };
}

function startFailure(program: string, error: unknown): Failure {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") {
    return { kind: "not_found", message: `command ${program} was not found: check argv and PATH` };
  }
  return { kind: "overloaded", message: `command ${program} could not be started: ${errorText(error)}` };
}
