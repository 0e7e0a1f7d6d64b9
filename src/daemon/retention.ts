import type { Clock } from "../core/clock.ts";
import type { Random } from "../core/ids.ts";
import type { SessionRegistry } from "../sessions/registry.ts";
import type { Store } from "../store/store.ts";

const dayMs = 86_400_000;
/** The first pass waits until the daemon has its start behind it. */
const firstPassMs = 60_000;
const betweenPassesMs = 3_600_000;
/** Between the steps of a pass: whatever else there is to write goes first. */
const betweenStepsMs = 20;

/**
 * Deletes what is older than `storage.keepDays` and `storage.keepEventsDays` say: about once an hour, in small steps.
 * What the settings say is asked for at each pass; with `keepDays` 0 messages stay.
 */
export class Retention {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #keep: () => { keepDays: number; keepEventsDays: number };
  readonly #registry: () => SessionRegistry;
  readonly #onFault: (thrown: unknown) => void;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: {
    store: Store;
    clock: Clock;
    random: Random;
    keep: () => { keepDays: number; keepEventsDays: number };
    registry: () => SessionRegistry;
    onFault: (thrown: unknown) => void;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#keep = parts.keep;
    this.#registry = parts.registry;
    this.#onFault = parts.onFault;
  }

  /** Begins; the first pass comes about a minute later. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the step under way, if there is one, has ended; no other begins. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.#rest(firstPassMs);
    while (!this.#isStopping) {
      await this.#pass().catch(this.#onFault);
      await this.#rest(betweenPassesMs);
    }
  }

  async #pass(): Promise<void> {
    const { keepDays, keepEventsDays } = this.#keep();
    const now = this.#clock.now();
    if (keepDays > 0) {
      const before = now - keepDays * dayMs;
      await this.#walk((after) => this.#store.retention.messages(after, before));
      await this.#walk((after) => this.#registry().deleteEmpty(after, before));
    }
    const before = now - keepEventsDays * dayMs;
    await this.#walk(async () => ((await this.#store.retention.events(before)) ? 0 : null));
  }

  /** Takes steps, each from where the one before ended, until one says that it was the last. */
  async #walk(step: (after: number) => Promise<number | null>): Promise<void> {
    let after: number | null = 0;
    while (after !== null && !this.#isStopping) {
      after = await step(after);
      await this.#clock.sleep(betweenStepsMs, this.#stopping.signal);
    }
  }

  /** ±20 %, so that many daemons do not do it at once. */
  async #rest(ms: number): Promise<void> {
    await this.#clock.sleep(ms * (0.8 + 0.4 * this.#random()), this.#stopping.signal);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }
}
