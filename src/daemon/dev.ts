import type { Clock } from "../core/clock.ts";
import { errorText } from "../core/errors.ts";
import type { Random } from "../core/ids.ts";
import type { Entries } from "../watch/entries.ts";
import { SharedWatchers } from "../watch/shared-watchers.ts";
import { SourceWatch } from "./source-watch.ts";

/** How a run of the program ended: its exit code, or the signal that ended it. */
export interface RunEnding {
  exitCode: number | null;
  signal: string | null;
}

/** One run of the program that is being developed. */
export interface DevRun {
  /** Resolves with the line that says where it serves; with undefined where it ended, or took too long, without. */
  readonly serving: Promise<string | undefined>;
  /** Resolves when it is gone. */
  readonly ended: Promise<RunEnding>;
  /** Keeps a checkpoint of what it holds. */
  checkpoint(): Promise<void>;
  /** Lets it drain and resolves when it is gone, with how long turns in flight were waited for. */
  stop(): Promise<{ drainMs: number }>;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/** What `Dev` needs. */
export interface DevParts {
  /** Files and folders, absolute: what changes there restarts the program. */
  watched: readonly string[];
  /** Files and folders in them that do not count. */
  except: readonly string[];
  /** Counts only while the program is down: one that serves follows its settings by itself. */
  settingsPath: string;
  clock: Clock;
  random: Random;
  /** Starts a run on the same folder as the one before, which is gone. */
  start: () => DevRun;
  /** Says something to the developer. */
  tell: (line: string) => void;
}

/** A checkpoint that takes longer than this is gone without: the developer waits. */
const checkpointLimitMs = 5000;
/** Exit code of a program that found another daemon on its data folder (contract section 7). */
const exitAlreadyRunning = 3;

/**
 * Runs the program and starts it again whenever what it is made of has changed.
 *
 * 1. What lies in the watched paths is noted before a run starts: a change during a start or a stop is a difference
 *    from that, and is not lost. Several changes until it is quiet, or until the next start, are one restart.
 * 2. A run that serves is given a checkpoint and a drain; one that still starts is stopped without.
 * 3. A run that ends by itself, or does not get to serve, is not started again before the next change: only the
 *    developer can help it. Where another daemon holds the folder there is nothing to develop, and `Dev` ends too.
 */
export class Dev {
  readonly #parts: DevParts;
  readonly #sources: SourceWatch;
  readonly #settings: SourceWatch;
  readonly #asked = new AbortController();
  #run: DevRun | undefined;
  /** When turns were no longer begun, and how long those in flight were waited for since. */
  #gap: { from: number; drainMs: number } | undefined;

  constructor(parts: DevParts) {
    this.#parts = parts;
    const { clock, random } = parts;
    const common = {
      clock,
      random,
      shared: new SharedWatchers({ clock, random }),
      onFault: (thrown: unknown): void =>
        parts.tell(`No file events (${errorText(thrown)}): changes are noticed within two seconds.`),
    };
    this.#sources = new SourceWatch({ ...common, paths: parts.watched, except: parts.except });
    this.#settings = new SourceWatch({ ...common, paths: [parts.settingsPath], except: [] });
  }

  /** Resolves with the exit code when it was asked to stop and the program is gone. */
  async run(): Promise<number> {
    try {
      for (;;) {
        const sources = this.#sources.look(); // 1
        const settings = this.#settings.look();
        const run = this.#parts.start();
        this.#run = run;
        const ending = await this.#untilChange(run, sources);
        if (ending?.exitCode === exitAlreadyRunning) return exitAlreadyRunning;
        if (ending) await this.#untilMended(sources, settings); // 3
        if (this.#asked.signal.aborted) return 0;
      }
    } finally {
      this.#sources.stop();
      this.#settings.stop();
      await this.#run?.kill();
    }
  }

  /** Lets the program drain and ends `run`. */
  stop(): void {
    this.#asked.abort();
  }

  /** Ends the program at once, and then `run`. */
  async kill(): Promise<void> {
    this.#asked.abort();
    await this.#run?.kill();
  }

  /** Resolves when the run is gone: with how it ended where it did so by itself, or did not get to serve. */
  async #untilChange(run: DevRun, before: Entries): Promise<RunEnding | undefined> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#asked.signal]);
    const changed = this.#sources.changed(before, signal).then((changes) => ({ changes }));
    try {
      const started = await Promise.race([run.serving.then((line) => ({ line })), changed]);
      if ("changes" in started) return await this.#end(run, false, started.changes); // 2
      if (started.line === undefined) return await this.#giveUp(run);
      this.#served(started.line);
      const ended = await Promise.race([run.ended, changed]);
      if ("changes" in ended) return await this.#end(run, true, ended.changes);
      this.#parts.tell(`The program ended by itself (${endingText(ended)}). ${untilNextChange}`);
      return ended;
    } finally {
      over.abort();
      await changed;
    }
  }

  async #untilMended(before: Entries, settingsBefore: Entries): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#asked.signal]);
    const waits = [this.#sources.changed(before, signal), this.#settings.changed(settingsBefore, signal)];
    const changes = await Promise.race(waits);
    over.abort();
    await Promise.all(waits);
    if (changes === undefined || this.#asked.signal.aborted) return;
    this.#parts.tell(`${changes}: starting.`);
    this.#gap = { from: this.#parts.clock.now(), drainMs: 0 };
  }

  /** Without `changes` it was asked to stop. */
  async #end(run: DevRun, isServing: boolean, changes: string | undefined): Promise<undefined> {
    const { clock, tell } = this.#parts;
    const isRestart = changes !== undefined && !this.#asked.signal.aborted;
    if (isRestart) tell(`${changes}: restarting.`);
    if (isRestart && isServing) await this.#checkpoint(run);
    const from = clock.now();
    const { drainMs } = await run.stop();
    this.#gap ??= { from, drainMs };
  }

  /** A run that was stopped while it started said nothing wrong; one that took too long is still there. */
  async #giveUp(run: DevRun): Promise<RunEnding> {
    const isTooSlow = await Promise.race([run.ended.then(() => false), Promise.resolve().then(() => true)]);
    await run.kill();
    const ending = await run.ended;
    const how = isTooSlow ? "it does not get to serve" : endingText(ending);
    if (!this.#asked.signal.aborted)
      this.#parts.tell(`The program did not start (${how}); what it said stands above. ${untilNextChange}`);
    return ending;
  }

  #served(line: string): void {
    const { clock, tell } = this.#parts;
    tell(line);
    if (this.#gap) tell(gapText(clock.now() - this.#gap.from, this.#gap.drainMs));
    this.#gap = undefined;
  }

  /** Whatever is wrong with it, the developer's change goes on: what was accepted is on disk without it. */
  async #checkpoint(run: DevRun): Promise<void> {
    const limit = new AbortController();
    const late = this.#parts.clock.sleep(checkpointLimitMs, limit.signal).then(() => "it took too long");
    const failure = await Promise.race([run.checkpoint().then(() => undefined, errorText), late]);
    limit.abort();
    if (failure !== undefined) this.#parts.tell(`No checkpoint was kept: ${failure}`);
  }
}

const untilNextChange = "It is started again at the next change.";

/** How long nothing was begun, and how much of it was not the waiting for turns in flight. */
export function gapText(totalMs: number, drainMs: number): string {
  return `Restarted in ${totalMs} ms, of which Segue's ${Math.max(0, totalMs - drainMs)} ms.`;
}

function endingText({ exitCode, signal }: RunEnding): string {
  if (signal !== null) return signal;
  return exitCode === null ? "it could not be run" : `exit code ${exitCode}`;
}
