import type { Subprocess } from "bun";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually.ts";

/** Who has to see to its end: the test that started it, or the file of tests (in its `afterAll`). */
export type Scope = "test" | "file";

export interface ChildOptions {
  command: readonly string[];
  /** By default the folder the tests run in. */
  cwd?: string;
  /** The whole environment: nothing comes from outside. See `cleanEnv`. */
  env: Readonly<Record<string, string>>;
  /** What it reads on standard input; by default nothing. */
  stdin?: string;
  scope?: Scope;
}

/** How a process ended: its exit code, or the signal that ended it. */
export interface Ending {
  exitCode: number | null;
  signal: string | null;
}

const heldOutputMs = 2000;

const running = new Set<Child>();

/**
 * An environment for children: the search path and a home, an XDG tree and a temporary folder inside `folder`.
 * Nothing else of the outer one, in particular no key of a provider.
 */
export function cleanEnv(
  folder: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const temporary = join(folder, "tmp");
  mkdirSync(temporary, { recursive: true });
  return {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_DATA_HOME: join(folder, "data"),
    XDG_STATE_HOME: join(folder, "state"),
    XDG_CACHE_HOME: join(folder, "cache"),
    TMPDIR: temporary,
    ...more,
  };
}

/** A child process, in a process group of its own, with all that it wrote. */
export class Child {
  readonly command: string;
  readonly scope: Scope;
  readonly #process: Subprocess<"ignore" | Uint8Array<ArrayBuffer>, "pipe", "pipe">;
  readonly #outputs: Promise<void>[];
  #stdout = "";
  #stderr = "";

  constructor({ command, cwd, env, stdin, scope = "test" }: ChildOptions) {
    this.command = command.join(" ");
    this.scope = scope;
    this.#process = Bun.spawn([...command], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...env },
      stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
    this.#outputs = [
      collect(this.#process.stdout, (text) => (this.#stdout += text)),
      collect(this.#process.stderr, (text) => (this.#stderr += text)),
    ];
    running.add(this);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What it wrote on standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it wrote on standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Resolves when it has ended and all its output has been read. */
  async ended(): Promise<Ending> {
    await this.#process.exited;
    // A process that it left behind in another group may hold its outputs open.
    await Promise.race([Promise.all(this.#outputs), Bun.sleep(heldOutputMs)]);
    running.delete(this);
    const { exitCode, signalCode } = this.#process;
    return { exitCode, signal: signalCode === null ? null : String(signalCode) };
  }

  /** Waits until one of its outputs holds `pattern`; fails with what it wrote where it ends without. */
  async waitForOutput(pattern: RegExp, deadlineMs?: number): Promise<RegExpMatchArray> {
    const found = await eventually(
      `${pattern} in the output of ${this.command}`,
      () => this.#find(pattern) ?? (this.hasEnded ? "ended" : undefined),
      deadlineMs,
    );
    if (found !== "ended") return found;
    const ending = await this.ended();
    const late = this.#find(pattern);
    if (late) return late;
    throw new Error(`${this.command} ended (${JSON.stringify(ending)}) without ${pattern}\n${this.output}`);
  }

  /** Both outputs, for the message of a failure. */
  get output(): string {
    return `--- stdout\n${this.#stdout}\n--- stderr\n${this.#stderr}`;
  }

  /** Signals the process alone, as a shell's `kill PID` does. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** SIGKILL to it and to every process it started, and waits for its end. */
  async kill(): Promise<Ending> {
    killGroup(this.pid);
    return this.ended();
  }

  #find(pattern: RegExp): RegExpMatchArray | undefined {
    return this.#stdout.match(pattern) ?? this.#stderr.match(pattern) ?? undefined;
  }
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  add: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) add(decoder.decode(bytes, { stream: true }));
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group has ended.
  }
}

/** Whether there is a process of this number; one that has ended and waits for its parent to ask is none. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

/** Known where there is /proc. */
function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Starts a child; it has to have ended when its scope ends. */
export function startChild(options: ChildOptions): Child {
  return new Child(options);
}

/** Runs a child to its end. */
export async function runChild(options: ChildOptions): Promise<Ending & { stdout: string; stderr: string }> {
  const child = startChild(options);
  const ending = await child.ended();
  return { ...ending, stdout: child.stdout, stderr: child.stderr };
}

/**
 * Kills the children of `scope` that still run and answers what they were: a test, or a file of tests, that leaves
 * one behind is wrong.
 */
export async function killLeftChildren(scope: Scope): Promise<string[]> {
  const left = [...running].filter((child) => child.scope === scope);
  const stillRunning = left.filter((child) => !child.hasEnded);
  await Promise.all(left.map((child) => child.kill()));
  return stillRunning.map((child) => `${child.command} (process ${child.pid})`);
}

// Where the run itself is cut short: what is left in the groups still goes.
process.on("exit", () => {
  for (const child of running) if (!child.hasEnded) killGroup(child.pid);
});
