import type { StoredEvent } from "./judge.ts";
import { expect } from "./violation.ts";

/** Judges restarts of generators and rollouts by their events: one generator a session, one rollout (section 3.4). */
export class Generators {
  readonly #generators = new Map<string, string>();
  #rollout: { total: number; done: number } | undefined;

  readonly #hadStoreFault: () => boolean;

  constructor(hadStoreFault: () => boolean) {
    this.#hadStoreFault = hadStoreFault;
  }

  /** Takes the next stored event. */
  event(event: StoredEvent): void {
    switch (event.type) {
      case "session.restarted": {
        const { session, oldGeneratorId, generatorId } = event.data;
        const known = this.#generators.get(session);
        const isKnown = known === undefined || known === oldGeneratorId || this.#hadStoreFault();
        expect(isKnown, "one turn at a time", () => `${session} replaced ${oldGeneratorId}, it had ${known}`);
        const isOther = oldGeneratorId !== generatorId;
        expect(isOther, "one turn at a time", () => `${session} replaced ${generatorId} by itself`);
        this.#generators.set(session, generatorId);
        return;
      }
      case "session.loaded":
      case "session.created":
      case "session.unloaded":
      case "session.deleted":
      case "session.recovered":
        this.#generators.delete(event.data.session);
        return;
      case "daemon.started":
        this.#generators.clear();
        this.#rollout = undefined;
        return;
      // A rollout goes on while the last turns end, and the next one may begin before the restart is told.
      case "daemon.draining":
      case "daemon.restarted":
        return this.#generators.clear();
      case "rollout.started":
        this.#rollout = { total: event.data.total, done: 0 };
        return;
      case "rollout.progressed":
        return this.#progressed(event.data.done, event.data.total);
      case "rollout.finished":
      case "rollout.superseded":
        this.#rollout = undefined;
        return;
      default:
    }
  }

  #progressed(done: number, total: number): void {
    const before = this.#rollout;
    const goesOn = total === before?.total && done >= before.done;
    // Where the store fails the event of its beginning is one of the things that are lost: it may be another rollout.
    const rollout = goesOn || !this.#hadStoreFault() ? before : { total, done };
    expect(rollout !== undefined, "events", () => `a rollout is at ${done} of ${total}, none was started`);
    const fits = total === rollout.total && done >= rollout.done && done <= total;
    expect(
      fits,
      "events",
      () => `a rollout of ${rollout.total} went from ${rollout.done} to ${done} of ${total}`,
    );
    this.#rollout = { total, done };
  }
}
