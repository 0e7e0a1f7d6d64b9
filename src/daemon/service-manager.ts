import type { Cancel, Clock } from "../core/clock.ts";
import type { Random } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { NotifySocket } from "../platform/platform.ts";
import type { Outside } from "./outside.ts";

/** What the service manager is told through, and how often it wants to hear that the daemon is alive. */
export interface ServiceManagerParts {
  socket: NotifySocket;
  /** Undefined where it has no watchdog for this process. */
  watchdogMs: number | undefined;
  clock: Clock;
  random: Random;
}

/** What was not taken is told again this often. */
const againMs = 1000;
/** Beyond the grace: what the end of a drain may take, to the last transaction. */
const closingMs = 10_000;

/**
 * Tells the service manager that started the daemon, such as systemd, how it is (sd_notify(3)): ready, reloading and
 * ready again, stopping; and, where it asks for that, in time that the event loop turns. It never throws and never
 * waits: what was not taken is told again, unless there is something newer to tell.
 */
export class ServiceManager {
  readonly #parts: ServiceManagerParts;
  readonly #cancels = new Set<Cancel>();
  #untold: string | undefined;
  #isClosed = false;

  constructor(parts: ServiceManagerParts) {
    this.#parts = parts;
    this.#watch();
  }

  /** It serves, for the first time or again. */
  ready(url: string): void {
    this.#tell("READY=1", `STATUS=Serving at ${url}`);
  }

  /** What it goes by is being looked at or replaced, until it is ready again. */
  reloading(reason: string): void {
    const { socket } = this.#parts;
    this.#tell("RELOADING=1", `MONOTONIC_USEC=${socket.monotonicUs()}`, `STATUS=Reloading: ${reason}`);
  }

  /** It ends, within `graceMs` for turns in flight and a while more: however short the unit's own time to stop is. */
  stopping(reason: string, graceMs: number): void {
    const extendUs = (graceMs + closingMs) * 1000;
    this.#tell("STOPPING=1", `EXTEND_TIMEOUT_USEC=${extendUs}`, `STATUS=Stopping: ${reason}`);
  }

  /** Tells nothing any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const cancel of this.#cancels) cancel();
    this.#parts.socket.close();
  }

  #tell(...lines: string[]): void {
    const isWaiting = this.#untold !== undefined;
    this.#untold = lines.join("\n");
    if (!isWaiting) this.#tellUntold();
  }

  #tellUntold(): void {
    if (this.#isClosed || this.#untold === undefined) return;
    if (this.#parts.socket.send(this.#untold)) this.#untold = undefined;
    else this.#after(againMs, () => this.#tellUntold());
  }

  /** Twice within its time and a little more often, so that one that comes late does no harm. */
  #watch(): void {
    const { watchdogMs, random, socket } = this.#parts;
    if (watchdogMs === undefined) return;
    this.#after((watchdogMs / 2) * (0.8 + 0.2 * random()), () => {
      socket.send("WATCHDOG=1");
      this.#watch();
    });
  }

  #after(ms: number, task: () => void): void {
    const cancel = this.#parts.clock.after(ms, () => {
      this.#cancels.delete(cancel);
      task();
    });
    this.#cancels.add(cancel);
  }
}

/** The service manager that started this process; undefined where none asked to be told. */
export async function findServiceManager(
  { env, clock, random }: Outside,
  pid: number,
  log: Log,
): Promise<ServiceManager | undefined> {
  const address = env["NOTIFY_SOCKET"];
  if (!address) return undefined;
  const { openNotifySocket } = await import("../platform/notify-socket.ts");
  const socket = openNotifySocket(address);
  if (socket) return new ServiceManager({ socket, watchdogMs: watchdogMs(env, pid), clock, random });
  log.warn(
    "the service manager cannot be told that the daemon is ready: $NOTIFY_SOCKET is no way to it here",
  );
  return undefined;
}

/** sd_watchdog_enabled(3): the time may be meant for another process. */
function watchdogMs(env: Outside["env"], pid: number): number | undefined {
  const { WATCHDOG_USEC: timeUs, WATCHDOG_PID: meant } = env;
  if (!timeUs || !/^[1-9]\d*$/.test(timeUs) || (meant && meant !== String(pid))) return undefined;
  return Number(timeUs) / 1000;
}
