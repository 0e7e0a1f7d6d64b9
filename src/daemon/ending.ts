import type { Releasers } from "../core/releasers.ts";
import type { DrainReason } from "../sessions/drain.ts";
import { removeInstance } from "./instance.ts";
import type { KeptSettings } from "./kept-settings.ts";
import type { Presence } from "./presence.ts";
import type { DrainParts, Restarts } from "./restart.ts";

/** What the end of a daemon takes of it. */
export interface EndingParts extends Omit<DrainParts, "front" | "settings"> {
  kept: KeptSettings;
  presence: Presence;
  restarts: Restarts;
  releasers: Releasers;
}

/** How a daemon ends: for good, or to give its place to another program, which may itself be ended before it begins. */
export class Ending {
  readonly #parts: EndingParts;
  readonly #whenOver = Promise.withResolvers<void>();
  #isBegun = false;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** Whether it was asked to end for good. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Resolves when it has ended, whoever asked for it. */
  get over(): Promise<void> {
    return this.#whenOver.promise;
  }

  /** Ends it, once, within `daemon.graceMs`; resolves when it is over. */
  async begin(reason: string, putBackFor: DrainReason): Promise<void> {
    if (!this.#isBegun) {
      this.#isBegun = true;
      this.#takeApart(reason, putBackFor).then(this.#whenOver.resolve, this.#whenOver.reject);
    }
    await this.over;
  }

  /** It is over: no program can go on in this process. */
  fail(thrown: unknown): void {
    this.#whenOver.reject(thrown);
  }

  /** A start has failed when turns could begin already: none does any more, and those that did are drained as ever. */
  async undoStart(): Promise<void> {
    const { foundation, clock, kept, restarts, core, drainBegins } = this.#parts;
    const { tell, pending, hold } = foundation;
    // Whoever ended it, or gave its place to another program, has drained it.
    if (this.#isBegun || hold.isPassedOn) return;
    this.#isBegun = true;
    const reason = "failed start";
    const { graceMs } = kept.now.daemon;
    const deadline = clock.now() + graceMs;
    const { gate } = core();
    const hasTurns = gate.totalInFlight() > 0;
    if (hasTurns) drainBegins(reason, graceMs);
    else gate.close();
    await restarts.stop();
    await core().registry.drain(deadline);
    if (hasTurns) tell([{ type: "daemon.stopping", data: { reason } }]);
    await pending.settled();
  }

  /** Ends everything but that the data folder is held. */
  async letGo(): Promise<void> {
    const { foundation, kept, releasers } = this.#parts;
    foundation.hold.isPassedOn = true;
    kept.unwatch();
    await kept.keeper.stop();
    await foundation.pending.settled();
    await releasers.release();
  }

  async #takeApart(reason: string, putBackFor: DrainReason): Promise<void> {
    const { foundation, clock, kept, restarts, core, drainBegins, ends, streams, releasers } = this.#parts;
    const { tell, pending, log, hold } = foundation;
    if (hold.isPassedOn) return this.#endUpgrade(reason);
    const { graceMs } = kept.now.daemon;
    const deadline = clock.now() + graceMs;
    drainBegins(reason, graceMs);
    kept.unwatch();
    // 1. A restart under way goes no further than its drain; an upgrade may have gone too far to come back.
    await restarts.stop();
    if (hold.isPassedOn) return this.#endUpgrade(reason);
    await kept.keeper.stop();
    const { aborted } = await core().registry.drain(deadline, putBackFor);
    tell([{ type: "daemon.stopping", data: { reason } }]);
    await pending.settled();
    ends.close();
    streams.endAll();
    log.info("stopped", { reason, aborted });
    await releasers.release();
  }

  /** It was about to give its place to another program: all else has ended, and that is not begun any more. */
  async #endUpgrade(reason: string): Promise<void> {
    const { presence, restarts, foundation } = this.#parts;
    const { hold, folder } = foundation;
    presence.ends(reason);
    await restarts.stop();
    await removeInstance(folder);
    hold.isPassedOn = false;
    hold.end();
    presence.fallSilent();
  }
}
