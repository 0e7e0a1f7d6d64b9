import { isoTime } from "../core/clock.ts";
import type { DaemonInfo, LastRestart } from "../http/services.ts";
import type { DaemonOptions, Foundation } from "./foundation.ts";
import { removeInstance, writeInstance } from "./instance.ts";
import type { Outside } from "./outside.ts";
import { findServiceManager, type ServiceManager } from "./service-manager.ts";

/** What the presence of a daemon is made of. */
export interface PresenceParts {
  options: DaemonOptions;
  outside: Outside;
  foundation: Pick<Foundation, "folder" | "hold" | "log">;
  /** Where TCP is answered; empty before it is. */
  url: () => string;
  /** Another one after every restart; undefined before the first core. */
  instanceId: () => string | undefined;
  lastRestart: () => LastRestart | null;
}

/**
 * What the daemon is to those around it, its phase and where it is found: told by `daemon.json` to who looks for it, to
 * the service manager that started it, and to who asks at its interface.
 */
export class Presence {
  readonly #parts: PresenceParts;
  readonly #startedAt: number;
  #phase: DaemonInfo["phase"] = "starting";
  #socket: string | null = null;
  #manager: ServiceManager | undefined;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#startedAt = parts.outside.clock.now();
  }

  get url(): string {
    return this.#parts.url();
  }

  /** Null where it goes without. */
  get socket(): string | null {
    return this.#socket;
  }

  /** Whether it has answered anybody. */
  get hasServed(): boolean {
    return this.#phase !== "starting";
  }

  /** It serves, for the first time or again. */
  serves(): void {
    this.#phase = "serving";
    this.#manager?.ready(this.url);
  }

  /** It is found at its socket too. */
  isAt(socket: string | null): void {
    this.#socket = socket;
  }

  /** It begins no turns any more: it ends, or comes back within about `graceMs`. */
  drains(reason: string, graceMs: number, { isEnding }: { isEnding: boolean }): void {
    this.#phase = "draining";
    if (isEnding) this.#manager?.stopping(reason, graceMs);
    else this.#manager?.reloading(reason);
  }

  /** It ends now: no turn is in flight. */
  ends(reason: string): void {
    this.#manager?.stopping(reason, 0);
  }

  /** Has the settings looked at by `look`. */
  async reload(look: () => Promise<void>): Promise<void> {
    if (this.#isServing) this.#manager?.reloading("settings");
    try {
      await look();
    } finally {
      // A restart that came of it says itself when it is over.
      if (this.#isServing) this.#manager?.ready(this.url);
    }
  }

  /** From here on the service manager, if one started this process, is told; first that it serves. */
  async meetServiceManager(): Promise<void> {
    const { outside, foundation } = this.#parts;
    this.#manager = await findServiceManager(outside, process.pid, foundation.log);
    this.#manager?.ready(this.url);
  }

  /** Writes down who serves where. Throws `storage` or `storage_full`. */
  announce(): Promise<void> {
    const { options, foundation, instanceId } = this.#parts;
    return writeInstance(foundation.folder, {
      pid: process.pid,
      url: this.url,
      socket: this.#socket,
      instanceId: instanceId() ?? "",
      version: options.version,
      startedAt: isoTime(this.#startedAt),
    });
  }

  /** Nobody serves here any more, unless another program goes on in this process. */
  async withdraw(): Promise<void> {
    const { folder, hold } = this.#parts.foundation;
    if (!hold.isPassedOn) await removeInstance(folder);
  }

  /** Tells the service manager nothing more, unless another program goes on in this process: its watchdog does too. */
  fallSilent(): void {
    if (!this.#parts.foundation.hold.isPassedOn) this.#manager?.close();
  }

  /** What is told of it at its interface. */
  info(): DaemonInfo {
    const { options, foundation, instanceId, lastRestart } = this.#parts;
    return {
      instanceId: instanceId() ?? "",
      pid: process.pid,
      version: options.version,
      startedAt: this.#startedAt,
      phase: this.#phase,
      url: this.url,
      settingsPath: options.settingsPath,
      dataDir: foundation.folder.path,
      lastRestart: lastRestart(),
    };
  }

  get #isServing(): boolean {
    return this.#phase === "serving";
  }
}
