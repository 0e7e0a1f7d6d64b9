import { chmod, open, rename } from "node:fs/promises";
import { writeFault } from "../core/errors.ts";
import { readSource } from "./source.ts";

/**
 * The bytes of the last accepted settings, kept in the data folder (mode 0600): what is in force after a restart on
 * a bad file.
 */
export class AcceptedSettings {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The bytes; undefined where nothing was accepted yet, or only the absence of a file. */
  async read(): Promise<Uint8Array | undefined> {
    const source = await readSource(this.#path);
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
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(temporary, 0o600);
    await rename(temporary, this.#path);
  }
}
