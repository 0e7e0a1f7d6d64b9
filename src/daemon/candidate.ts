import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import type { Clock } from "../core/clock.ts";
import { errorText } from "../core/errors.ts";
import type { Program } from "./handover.ts";

/** A rehearsal that takes longer has failed. A migration may take as long as the store is large. */
const rehearsalLimitMs = 30_000;
/** How much of what it says on standard error is kept. */
const keptCharacters = 4000;

/** What a program that can serve says of itself: its version, and those of the store now and under it. */
const rehearsalSchema = v.object({
  version: v.string(),
  store: v.object({ from: v.number(), to: v.number() }),
});
/** What a rehearsal has shown. */
export type Rehearsal = v.InferOutput<typeof rehearsalSchema>;

/** What a step of a program came to: a value, or why it failed, in words. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; reason: string };

/** The program that is to take the place of this one, run beside it first. */
export class Candidate {
  readonly #program: Program;
  readonly #clock: Clock;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(parts: { program: Program; clock: Clock; env: Readonly<Record<string, string | undefined>> }) {
    this.#program = parts.program;
    this.#clock = parts.clock;
    // What a service manager wants to hear, it wants to hear from the daemon itself.
    const { NOTIFY_SOCKET: _, WATCHDOG_USEC: __, WATCHDOG_PID: ___, ...env } = parts.env;
    this.#env = env;
  }

  /** Whether it can serve, under these settings and with a store like ours; it writes into a folder of its own alone. */
  async rehearse(signal: AbortSignal): Promise<Outcome<Rehearsal>> {
    const folder = await mkdtemp(join(tmpdir(), "segue-rehearsal-"));
    const limit = new AbortController();
    const over = AbortSignal.any([signal, limit.signal]);
    const late = this.#clock.after(rehearsalLimitMs, () => limit.abort());
    try {
      const said = await this.#run(["--rehearse", folder], over);
      if (limit.signal.aborted) return failed("it did not get to serve within 30 s");
      if (!said.ok) return said;
      const checked = v.safeParse(v.pipe(v.string(), v.parseJson(), rehearsalSchema), said.value);
      return checked.success
        ? { ok: true, value: checked.output }
        : failed("it does not answer like a Segue that can be upgraded to");
    } finally {
      late();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Lets it migrate the store, which nobody has open. */
  async migrate(): Promise<Outcome<string>> {
    return this.#run(["--migrate"], new AbortController().signal);
  }

  async #run(step: readonly string[], signal: AbortSignal): Promise<Outcome<string>> {
    const { executable, source, args } = this.#program;
    const command = [...(source === undefined ? [] : [source]), ...args, ...step];
    try {
      // Loaded here: few daemons are upgraded, and all of them start.
      const { spawn } = await import("node:child_process");
      const child = spawn(executable, command, { stdio: ["ignore", "pipe", "pipe"], env: this.#env });
      const kill = (): void => void child.kill("SIGKILL");
      signal.addEventListener("abort", kill, { once: true });
      const outcome = await outcomeOf(child);
      signal.removeEventListener("abort", kill);
      return outcome;
    } catch (thrown) {
      return failed(`it cannot be run: ${errorText(thrown)}`);
    }
  }
}

async function outcomeOf(child: ChildProcess): Promise<Outcome<string>> {
  let said = "";
  let complained = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complained = (complained + text).slice(-keptCharacters);
  });
  const [exitCode, signal]: unknown[] = await once(child, "close");
  if (exitCode === 0) return { ok: true, value: said };
  const how = typeof signal === "string" ? `it was ended by ${signal}` : `exit code ${String(exitCode)}`;
  return failed(reasonIn(complained) ?? how);
}

/** The error of a command, which ends what it says: its first line, and the problems that follow. */
function reasonIn(text: string): string | undefined {
  const lines = text.trim().split("\n");
  const at = lines.findLastIndex((line) => line.startsWith("segue: "));
  return at < 0 ? undefined : lines.slice(at).join("; ").slice("segue: ".length);
}

function failed(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}
