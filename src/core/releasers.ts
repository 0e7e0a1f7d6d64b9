/** Releasers, run last in, first out; one that fails does not keep the others from running. */
export class Releasers {
  readonly #releasers: (() => Promise<void> | void)[] = [];

  add(release: () => Promise<void> | void): void {
    this.#releasers.push(release);
  }

  /** Runs and forgets all of them; throws the first error once all have run. */
  async release(): Promise<void> {
    const errors: unknown[] = [];
    for (let release = this.#releasers.pop(); release; release = this.#releasers.pop()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
