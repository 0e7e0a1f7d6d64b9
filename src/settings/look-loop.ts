import { SegueError } from "../core/errors.ts";
import type { RevisionSource } from "../core/events.ts";
import type { HintKind } from "../watch/path-watcher.ts";
import type { QuietTime } from "./quiet-time.ts";

/** What the loop needs. */
export interface LookLoopParts {
  quiet: QuietTime;
  /** Whether a poll finds anything new. */
  isNews: () => boolean;
  /** Whether the last look has to be repeated although there is nothing new. */
  isUnsettled: () => boolean;
  /** Reads the file once and does what there is to do; `asked` says why, where somebody asked. */
  look: (asked: RevisionSource | undefined) => Promise<void>;
  /** A fault that is a bug; logged once, there. */
  onFault: (thrown: unknown) => void;
}

/** Something that was asked for by name; it is served right after a look at the file. */
interface Request {
  source: RevisionSource;
  serve: () => Promise<void>;
  refuse: (thrown: unknown) => void;
}

/**
 * One worker, one dirty flag: after the quiet time it looks, serves what was asked for, and looks again whether
 * anything has happened meanwhile. Nothing it does overlaps with anything else it does. There is no way out but `stop`.
 */
export class LookLoop {
  readonly #parts: LookLoopParts;
  #isDirty = false;
  #requests: Request[] = [];
  #worker: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: LookLoopParts) {
    this.#parts = parts;
  }

  /** Something may have happened. Returns at once. */
  notice(kind: HintKind): void {
    if (this.#isStopped) return;
    if (kind === "event") this.#parts.quiet.touch();
    this.#isDirty = true;
    this.#work();
  }

  /** Looks without waiting for quiet, and then acts before anything else is done. Rejects once it is stopped. */
  ask<T>(source: RevisionSource, act: () => Promise<T>): Promise<T> {
    if (this.#isStopped) return Promise.reject(stopping());
    return new Promise((resolve, refuse) => {
      const serve = (): Promise<void> => act().then(resolve, refuse);
      this.#requests.push({ source, serve, refuse });
      this.#parts.quiet.end();
      this.#isDirty = true;
      this.#work();
    });
  }

  /** Ends the loop; what is under way is ended properly, what was only asked for is refused. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#parts.quiet.end();
    await this.#worker;
    for (const request of this.#requests.splice(0)) request.refuse(stopping());
  }

  #work(): void {
    // 1. It begins when whoever told it is done: it may be told again by what it does first, and is one all the same.
    this.#worker ??= Promise.resolve()
      .then(() => this.#run())
      .catch(this.#parts.onFault)
      .finally(() => {
        this.#worker = undefined;
        // 2. A hint that came while the loop was ending would otherwise be lost.
        if (this.#isDirty && !this.#isStopped) this.#work();
      });
  }

  async #run(): Promise<void> {
    while (this.#isDirty && !this.#isStopped) {
      this.#isDirty = false;
      if (!this.#isWorthLooking()) continue;
      if (this.#requests.length === 0) await this.#parts.quiet.passed();
      // 3. Who asks from here on asks for a later look: the bytes are about to be read.
      const requests = this.#requests.splice(0);
      try {
        await this.#parts.look(requests[0]?.source);
      } catch (thrown) {
        this.#parts.onFault(thrown);
      }
      for (const request of requests) await request.serve();
    }
  }

  /** A poll costs no quiet time unless it finds something; what it finds is as new as an event. */
  #isWorthLooking(): boolean {
    const { quiet, isNews, isUnsettled } = this.#parts;
    if (quiet.isRunning || this.#requests.length > 0) return true;
    if (!isNews()) return isUnsettled();
    quiet.touch();
    return true;
  }
}

function stopping(): SegueError {
  return new SegueError("draining", "the daemon is stopping", { retryAfterSeconds: 1 });
}
