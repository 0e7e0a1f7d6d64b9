import type { Clock } from "../core/clock.ts";
import type { NewEvent } from "../core/events.ts";
import type { LastRestart } from "../http/services.ts";
import type { Foundation } from "./foundation.ts";
import type { Address, Front } from "./front.ts";
import type { Handover } from "./handover.ts";
import { restartNote } from "./restart.ts";
import { listenBehind, resume, takeOver } from "./resume.ts";

/** How a daemon comes to serve: after a stop, after a crash, or in the place of another program. */
export class Opening {
  readonly #foundation: Foundation;
  readonly #front: Front;
  readonly #clock: Clock;
  readonly #handover: Handover | undefined;

  constructor(parts: {
    foundation: Foundation;
    front: Front;
    clock: Clock;
    /** What the program before left behind. */
    handover: Handover | undefined;
  }) {
    this.#foundation = parts.foundation;
    this.#front = parts.front;
    this.#clock = parts.clock;
    this.#handover = parts.handover;
  }

  /**
   * What was in flight is pending again, and sessions that were at work are told of a crash or of the upgrade, whose
   * account is the answer.
   */
  async takeUp(boot: string, maxAttempts: number): Promise<LastRestart | undefined> {
    const { store, log, wasCrashed } = this.#foundation;
    const now = (): number => this.#clock.now();
    if (this.#handover) return resume(this.#handover, { store, boot, now });
    const inFlight = await store.sessions.inFlight();
    // 1. A process that is killed while it starts may have begun turns before it wrote that it is there. And the notes
    //    come first: where it is killed once more, the next one finds the messages in flight still.
    if (wasCrashed || inFlight.length > 0) {
      const atWork = new Set([...inFlight, ...(await store.sessions.withPending())]);
      await store.notes.add([...atWork], restartNote("crash"), now());
    }
    const recovered = await store.messages.recover(boot, maxAttempts, now());
    if (recovered.requeued + recovered.failed > 0)
      log.warn("messages were in flight when the daemon stopped last", recovered);
    return undefined;
  }

  /**
   * Opens the ways in, or takes over those of the program before with whoever waits at them; answers the path of the
   * socket, null where it goes without. `onServing` is called as soon as somebody may be answered. Throws
   * `cannot_listen`.
   */
  async open(address: Address, onServing: () => void): Promise<string | null> {
    const { folder, hold, onFault } = this.#foundation;
    if (!this.#handover) {
      await this.#front.open(address);
      const socket = await this.#openSocket();
      onServing();
      return socket;
    }
    await listenBehind(this.#front, this.#handover);
    // 1. It may be answering by now: from here on there is no way back, and it goes on without what fails.
    hold.isPassedOn = false;
    onServing();
    const socket = await this.#openSocket().catch((thrown: unknown) => {
      onFault(thrown);
      return null;
    });
    takeOver(this.#handover, folder.socket);
    return socket;
  }

  /** What is told of it; also that this is the program which was to be replaced, where an upgrade has failed. */
  events(started: { instanceId: string; version: string }, last: LastRestart | undefined): NewEvent[] {
    if (!last) return [{ type: "daemon.started", data: started }];
    const { downtimeMs, requeued, sessions } = last;
    const data = { url: this.#front.url, downtimeMs, sessions: sessions.length, requeued };
    const restarted: NewEvent = { type: "daemon.restarted", data };
    const reason = this.#handover?.failure ?? null;
    if (reason === null) return [restarted];
    this.#foundation.log.warn(`the upgrade failed: ${reason}`);
    return [{ type: "daemon.restart_failed", data: { reason } }, restarted];
  }

  async #openSocket(): Promise<string | null> {
    const { folder, log } = this.#foundation;
    if (await this.#front.openSocket(folder.socket)) return folder.socket;
    const { url } = this.#front;
    log.warn(`${folder.socket} is too long a path for a socket; going without it, use --url ${url}`);
    return null;
  }
}
