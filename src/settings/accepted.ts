import { writeFault } from "../core/errors.ts";
import { type Files, systemFiles } from "../core/files.ts";
import { hashOf, readSource } from "./source.ts";

/**
 * The bytes of the last accepted settings, kept in the data folder (mode 0600): what is in force after a restart on
 * a bad file. Their revision is recorded elsewhere, so they come in two steps: proposed before that is recorded, kept
 * after it. Where the process is killed in between, `settle` finds out which of the two it was. One at a time is laid
 * ready, and equal bytes once.
 */
export class AcceptedSettings {
  readonly #path: string;
  readonly #proposed: string;
  readonly #files: Files;
  /** What is laid ready, or is being laid, since something was kept last. */
  #laid: { hash: string; isDurable: Promise<void> } | undefined;

  constructor(path: string, files: Files = systemFiles) {
    this.#path = path;
    this.#proposed = `${path}.new`;
    this.#files = files;
  }

  /** The bytes; undefined where nothing was accepted yet, or only the absence of a file. */
  async read(): Promise<Uint8Array | undefined> {
    const source = readSource(this.#path, this.#files);
    return source.kind === "file" && source.bytes.length > 0 ? source.bytes : undefined;
  }

  /** Begins to lay bytes ready that will probably be proposed, so that less is left to wait for then. */
  prepare(bytes: Uint8Array): void {
    this.#layOnce(bytes).catch(() => {
      // Whoever proposes them tries again, and is told.
    });
  }

  /** Takes away what was laid ready and not kept. */
  async drop(): Promise<void> {
    const laid = this.#laid;
    if (!laid) return;
    this.#laid = undefined;
    await laid.isDurable.catch(() => {});
    // What cannot be taken away is taken away by the next start.
    await this.#files.rm(this.#proposed, { force: true }).catch(() => {});
  }

  /** Lays bytes ready, durably; null where there is no file. Throws `storage` or `storage_full`. */
  async propose(bytes: Uint8Array | null): Promise<void> {
    try {
      await this.#layOnce(bytes ?? new Uint8Array());
    } catch (thrown) {
      throw writeFault(this.#path, thrown);
    }
  }

  /** What was proposed takes the place of what was accepted before, in one step. Throws `storage`. */
  async keep(): Promise<void> {
    // 1. Even where it fails: it is not for `drop`.
    this.#laid = undefined;
    try {
      await this.#files.rename(this.#proposed, this.#path);
    } catch (thrown) {
      throw writeFault(this.#path, thrown);
    }
  }

  /** Keeps what was proposed last and not kept, where it is what is in force; drops it where it is not. */
  async settle(isInForce: (bytes: Uint8Array | null) => boolean): Promise<void> {
    const source = readSource(this.#proposed, this.#files);
    if (source.kind === "missing") return;
    const bytes = source.kind === "file" && source.bytes.length > 0 ? source.bytes : null;
    if (source.kind === "file" && isInForce(bytes)) await this.keep();
    else await this.#files.rm(this.#proposed, { force: true });
  }

  #layOnce(bytes: Uint8Array): Promise<void> {
    const hash = hashOf(bytes);
    if (this.#laid?.hash === hash) return this.#laid.isDurable;
    const isDurable = this.#layAfter(this.#laid?.isDurable, bytes);
    const laid = { hash, isDurable };
    this.#laid = laid;
    return isDurable.catch((thrown: unknown) => {
      if (this.#laid === laid) this.#laid = undefined;
      throw thrown;
    });
  }

  async #layAfter(before: Promise<void> | undefined, bytes: Uint8Array): Promise<void> {
    await before?.catch(() => {});
    await this.#lay(bytes);
  }

  async #lay(bytes: Uint8Array): Promise<void> {
    const file = this.#files.openSync(this.#proposed, "w", 0o600);
    try {
      this.#files.fchmodSync(file, 0o600);
      this.#files.writeFileSync(file, bytes);
      await this.#files.fsync(file);
    } finally {
      this.#files.closeSync(file);
    }
  }
}
