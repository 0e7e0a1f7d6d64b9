/** Exit code of a program that was interrupted before it had stopped (128 + SIGINT, signal(7)). */
export const exitInterrupted = 130;

/** The signals that ask a program in the foreground to stop. Those that come while it starts count once it has started. */
export class StopSignals {
  readonly #asked = Promise.withResolvers<string>();
  readonly #interrupted = Promise.withResolvers<number>();
  #interrupts = 0;

  /** Resolves with the first signal that asks to stop. */
  get asked(): Promise<string> {
    return this.#asked.promise;
  }

  /** Whether there was a second SIGINT. */
  get isInterrupted(): boolean {
    return this.#interrupts > 1;
  }

  /** Resolves with the exit code at the second SIGINT. */
  get interrupted(): Promise<number> {
    return this.#interrupted.promise;
  }

  readonly #terminate = (): void => this.#asked.resolve("SIGTERM");
  readonly #interrupt = (): void => {
    this.#interrupts += 1;
    if (this.#interrupts > 1) this.#interrupted.resolve(exitInterrupted);
    else this.#asked.resolve("SIGINT");
  };

  /** From now on they no longer end the process by themselves. */
  start(): void {
    process.on("SIGTERM", this.#terminate).on("SIGINT", this.#interrupt);
  }

  /** From now on they do again. */
  stop(): void {
    process.off("SIGTERM", this.#terminate).off("SIGINT", this.#interrupt);
  }
}
