import { writeFault } from "../core/errors.ts";
import { type Files, systemFiles } from "../core/files.ts";
import { readSource } from "./source.ts";

/**
 * The bytes of the last accepted settings, kept in the data folder (mode 0600): what is in force after a restart on
 * a bad file.
 */
export class AcceptedSettings {
  readonly #path: string;
  readonly #files: Files;

  constructor(path: string, files: Files = systemFiles) {
    this.#path = path;
    this.#files = files;
  }

  /** The bytes; undefined where nothing was accepted yet, or only the absence of a file. */
  async read(): Promise<Uint8Array | undefined> {
    const source = await readSource(this.#path, this.#files);
    return source.kind === "file" && source.bytes.length > 0 ? source.bytes : undefined;
  }

  /** Replaces the bytes in one step, durably; null where there is no file. Throws `storage` or `storage_full`. */
  async write(bytes: Uint8Array | null): Promise<void> {
    try {
      await this.#replace(bytes ?? new Uint8Array());
    } catch (thrown) {
      throw writeFault(this.#path, thrown);
    }
  }

  async #replace(bytes: Uint8Array): Promise<void> {
    const temporary = `${this.#path}.new`;
    const file = await this.#files.open(temporary, "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.chmod(temporary, 0o600);
    await this.#files.rename(temporary, this.#path);
  }
}
