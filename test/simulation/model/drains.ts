import type { StoredEvent } from "./judge.ts";
import type { Turn } from "./inboxes.ts";
import { nameOf } from "./outcomes.ts";
import type { Revisions } from "./revisions.ts";
import { expect } from "./violation.ts";

/** Where a session is loaded and does not wait for the drain, the daemon has been swapped, and is about to say so. */
const drainEnds: ReadonlySet<StoredEvent["type"]> = new Set([
  "daemon.started",
  "daemon.restarted",
  "session.loaded",
]);

/** Since when turns are let end instead of begun, and for how long. */
interface Drain {
  at: number;
  graceMs: number;
}

/** Judges drains: no turn begins in one, and none is aborted before its grace is over (section 3.6). */
export class Drains {
  readonly #revisions: Revisions;
  /** The one under way; undefined while turns may begin. */
  #drain: Drain | undefined;
  /** The drain that seems to be over, because a session was loaded. */
  #left: Drain | undefined;

  readonly #hadStoreFault: () => boolean;

  constructor(revisions: Revisions, hadStoreFault: () => boolean) {
    this.#revisions = revisions;
    this.#hadStoreFault = hadStoreFault;
  }

  /** Takes the next stored event. */
  event(event: StoredEvent): void {
    if (event.type === "daemon.draining") {
      const { graceMs } = event.data;
      const known = this.#revisions.numbersBetween("daemon.graceMs", event.at, event.at);
      const isMeant = known.length === 0 || known.includes(graceMs);
      expect(isMeant, "drain", () => `a drain takes ${graceMs} ms, the settings say ${known.join(" or ")}`);
      // A stop in the middle of a restart does not make its drain longer: there is one deadline.
      this.#drain ??= { at: event.at, graceMs };
    } else if (drainEnds.has(event.type)) {
      this.#left = event.type === "session.loaded" ? (this.#drain ?? this.#left) : undefined;
      this.#drain = undefined;
    } else if (event.type === "session.waiting" && event.data.for === "drain") this.#drain ??= this.#left;
    else if (event.type === "message.requeued" && event.data.reason === "drain") {
      const { session, seq } = event.data;
      // Who was loaded may wait for something else than the drain.
      const drain = this.#drain ?? this.#left;
      // Where the store fails the event of a drain is one of the things that are lost.
      if (!drain && this.#hadStoreFault()) return;
      expect(drain !== undefined, "drain", () => `${session}/${seq} was put back by a drain, there is none`);
      const isOver = event.at >= drain.at + drain.graceMs || this.#hadStoreFault();
      expect(isOver, "drain", () => `${session}/${seq} was put back ${event.at - drain.at} ms into a drain`);
    }
  }

  /** Whether the grace of the drain that was told last was over at a moment: what ran then was to be aborted. */
  isOver(at: number): boolean {
    const drain = this.#drain ?? this.#left;
    return drain !== undefined && at >= drain.at + drain.graceMs;
  }

  /** A turn was started. */
  started(turn: Turn): void {
    const mayStart = this.#drain === undefined || this.#hadStoreFault();
    expect(mayStart, "drain", () => `${nameOf(turn)} was started in a drain`);
  }
}
