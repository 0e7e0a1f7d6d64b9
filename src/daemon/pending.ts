/** Promises that nobody awaits where they begin: they are awaited here when the daemon stops. */
export class Pending {
  readonly #onFault: (thrown: unknown) => void;
  readonly #promises = new Set<Promise<void>>();

  constructor(onFault: (thrown: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Takes a promise over; where it rejects, `onFault` is told. */
  keep(promise: Promise<unknown>): void {
    const kept = promise.then(() => {}, this.#onFault).finally(() => this.#promises.delete(kept));
    this.#promises.add(kept);
  }

  /** Resolves when none is left. */
  async settled(): Promise<void> {
    while (this.#promises.size > 0) await Promise.all(this.#promises);
  }
}
