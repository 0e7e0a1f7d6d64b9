import { writeFault } from "../core/errors.ts";
import { type Files, systemFiles } from "../core/files.ts";
import { readSource } from "./source.ts";

/**
 * The bytes of the last accepted settings, kept in the data folder (mode 0600): what is in force after a restart on
 * a bad file. Their revision is recorded elsewhere, so they come in two steps: proposed before that is recorded, kept
 * after it. Where the process is killed in between, `settle` finds out which of the two it was.
 */
export class AcceptedSettings {
  readonly #path: string;
  readonly #proposed: string;
  readonly #files: Files;

  constructor(path: string, files: Files = systemFiles) {
    this.#path = path;
    this.#proposed = `${path}.new`;
    this.#files = files;
  }

  /** The bytes; undefined where nothing was accepted yet, or only the absence of a file. */
  async read(): Promise<Uint8Array | undefined> {
    const source = await readSource(this.#path, this.#files);
    return source.kind === "file" && source.bytes.length > 0 ? source.bytes : undefined;
  }

  /** Lays bytes ready, durably; null where there is no file. Throws `storage` or `storage_full`. */
  async propose(bytes: Uint8Array | null): Promise<void> {
    try {
      await this.#lay(bytes ?? new Uint8Array());
    } catch (thrown) {
      throw writeFault(this.#path, thrown);
    }
  }

  /** What was proposed takes the place of what was accepted before, in one step. Throws `storage`. */
  async keep(): Promise<void> {
    try {
      await this.#files.rename(this.#proposed, this.#path);
    } catch (thrown) {
      throw writeFault(this.#path, thrown);
    }
  }

  /** Keeps what was proposed last and not kept, where it is what is in force; drops it where it is not. */
  async settle(isInForce: (bytes: Uint8Array | null) => boolean): Promise<void> {
    const source = await readSource(this.#proposed, this.#files);
    if (source.kind === "missing") return;
    const bytes = source.kind === "file" && source.bytes.length > 0 ? source.bytes : null;
    if (source.kind === "file" && isInForce(bytes)) await this.keep();
    else await this.#files.rm(this.#proposed, { force: true });
  }

  async #lay(bytes: Uint8Array): Promise<void> {
    const file = await this.#files.open(this.#proposed, "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.chmod(this.#proposed, 0o600);
  }
}
