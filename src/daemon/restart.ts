import type { Clock } from "../core/clock.ts";
import { SegueError, errorText } from "../core/errors.ts";
import type { EventStreams } from "../http/event-stream.ts";
import type { MessageEnds } from "../http/message-ends.ts";
import type { LastRestart } from "../http/services.ts";
import type { Settings } from "../settings/schema.ts";
import { type Core, beginWork } from "./core.ts";
import { type Foundation, faultText } from "./foundation.ts";
import { type Address, type Front, isSameAddress } from "./front.ts";

/** Why the daemon restarts; also why it started, where it did so after a crash. */
export type RestartCause = "configuration" | "request" | "upgrade" | "crash";

/** What is told to sessions that were at work (contract section 3.6). */
export function restartNote(cause: RestartCause): string {
  const recovered = "Your session state has been recovered from the last checkpoint.";
  switch (cause) {
    case "configuration":
      return `[system] The daemon restarted due to a configuration change. ${recovered}`;
    case "request":
      return `[system] The daemon restarted on request. ${recovered}`;
    case "upgrade":
      return `[system] The daemon restarted for an upgrade. ${recovered}`;
    case "crash":
      return `[system] The daemon stopped unexpectedly. ${recovered}`;
  }
}

/** What whoever drains the daemon takes of it. */
export interface DrainParts {
  foundation: Foundation;
  clock: Clock;
  front: Front;
  streams: EventStreams;
  ends: MessageEnds;
  settings: () => Settings;
  /** What takes the turns now. */
  core: () => Core;
  /** Lets no turn start any more, and tells so. */
  drainBegins: (reason: string, graceMs: number) => void;
}

/** What a restart takes of the daemon around it. */
export interface RestartParts extends DrainParts {
  buildCore: () => Promise<Core>;
  /** From here on this one takes the turns. */
  swap: (core: Core) => void;
  /** Writes down who serves where. */
  announce: () => Promise<void>;
  /** Lets the program on disk take over; returns where it cannot, or `stopping` was aborted. */
  upgrade: (stopping: AbortSignal) => Promise<void>;
}

/** While the store has no room or does not answer, it is tried again this often. */
const storageRetryMs = 1000;

interface Prepared {
  core: Core;
  sessions: LastRestart["sessions"];
}

/**
 * Restarts the daemon in its own process (contract section 3.6): one at a time. What is asked for during one is looked
 * at when it is over, and then takes one more, however often it was asked.
 */
export class Restarts {
  readonly #parts: RestartParts;
  #running: Promise<void> | undefined;
  #asked: "request" | "upgrade" | undefined;
  readonly #over = new AbortController();
  /** An address that could not be had, and why: it is not tried again before somebody asks for it. */
  #refused: (Address & { reason: string }) | undefined;
  #last: LastRestart | null = null;

  constructor(parts: RestartParts) {
    this.#parts = parts;
  }

  /** The last one of this process. */
  get last(): LastRestart | null {
    return this.#last;
  }

  /**
   * Restarts, and tries an address that was refused again; resolves when the daemon serves again. An upgrade that
   * succeeds does not resolve: another program goes on in this process.
   */
  async ask(cause: "request" | "upgrade"): Promise<void> {
    this.#refused = undefined;
    if (this.#asked !== "upgrade") this.#asked = cause;
    await this.#run();
  }

  /** What the restart was that this program came with. */
  begunWith(last: LastRestart): void {
    this.#last = last;
  }

  /**
   * Takes up the work of the first core, and what these sessions have to do. Where the store fails that is done as soon
   * as it does not: the daemon serves without it, and may be stopped.
   */
  async takeUp(core: Core, sessions: readonly string[]): Promise<void> {
    const { foundation, settings } = this.#parts;
    const waits = Promise.withResolvers<void>();
    const done = this.#onceStored(() => beginWork(core, sessions, settings), waits.resolve);
    foundation.pending.keep(done);
    await Promise.race([done, waits.promise]);
  }

  /** The settings have changed: restarts where they ask for another address. */
  follow(): void {
    if (this.#refused && !isSameAddress(this.#refused, this.#wanted())) this.#refused = undefined;
    if (this.#isElsewhere()) this.#run().catch(this.#parts.foundation.onFault);
  }

  /** Begins none any more, and ends one that is under way after its drain, without a swap. Never rejects. */
  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running?.catch(() => {});
  }

  /** Keys of the settings that are not in force, and why. */
  notInForce(): { key: string; reason: string }[] {
    const wanted = this.#wanted();
    const { address } = this.#parts.front;
    const reason = this.#refused?.reason ?? "the daemon is about to restart";
    return [
      ...(wanted.host === address.host ? [] : [{ key: "server.host", reason }]),
      ...(wanted.port === address.port ? [] : [{ key: "server.port", reason }]),
    ];
  }

  #wanted(): Address {
    const { host, port } = this.#parts.settings().server;
    return { host, port };
  }

  /** Whether the settings want another address than the one in use, and it was not refused. */
  #isElsewhere(): boolean {
    return !this.#refused && !isSameAddress(this.#wanted(), this.#parts.front.address);
  }

  #run(): Promise<void> {
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #loop(): Promise<void> {
    while (!this.#isOver && (this.#asked || this.#isElsewhere())) {
      const cause = this.#asked ?? "configuration";
      this.#asked = undefined;
      await (cause === "upgrade" ? this.#parts.upgrade(this.#over.signal) : this.#restart(cause));
    }
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async #restart(cause: RestartCause): Promise<void> {
    const { clock, drainBegins, core, settings, streams, ends, swap } = this.#parts;
    // 1. The new listener comes first: where it cannot be had the daemon carries on as before.
    if (this.#isElsewhere() && !(await this.#move()) && cause === "configuration") return;
    if (this.#isOver) return;
    const { graceMs } = settings().daemon;
    const startedAt = clock.now();
    drainBegins(cause, graceMs);
    const { registry } = core();
    const active = new Set([...registry.atWork(), ...streams.subscribedSessions()]);
    const { aborted, requeued } = await registry.drain(startedAt + graceMs);
    const next = await this.#onceStored(() => this.#prepare(cause, active));
    if (!next || this.#isOver) return;
    // 2. What the old core accepted is committed before what is written from here on: the new one finds it.
    swap(next.core);
    // 3. Now, not when all is told: who begins to wait from here on waits for a turn of the new core.
    ends.releaseAll();
    const at = clock.now();
    const { sessions } = next;
    const downtimeMs = at - startedAt;
    this.#last = { at, reason: cause, downtimeMs, sessions, requeued, timedOut: aborted };
    await this.#handOver(this.#last, graceMs);
    const loaded = sessions.map((session) => session.id);
    await this.#onceStored(() => beginWork(next.core, loaded, settings));
  }

  /** Whether the new listener serves; where it cannot be had the old one carries on, and says why. */
  async #move(): Promise<boolean> {
    const { front, foundation } = this.#parts;
    const wanted = this.#wanted();
    try {
      await front.move(wanted);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof SegueError)) throw thrown;
      const reason = errorText(thrown);
      this.#refused = { ...wanted, reason };
      foundation.log.warn(reason);
      foundation.tell([{ type: "daemon.restart_failed", data: { reason } }]);
      return false;
    }
  }

  /**
   * Does what the work cannot be taken up without. A store that does not answer or has no room is waited for: no turn
   * could start anyway. `onWait` is called then. Undefined where the daemon stops meanwhile.
   */
  async #onceStored<T>(work: () => Promise<T>, onWait = (): void => {}): Promise<T | undefined> {
    const { foundation, clock } = this.#parts;
    let isTold = false;
    while (!this.#isOver) {
      try {
        return await work();
      } catch (thrown) {
        if (!isTold) foundation.log.error(`the daemon waits for the store: ${faultText(thrown)}`);
        isTold = true;
        onWait();
        await clock.sleep(storageRetryMs, this.#over.signal);
      }
    }
    return undefined;
  }

  /** The new core, over a store that knows all that the old one left behind. */
  async #prepare(cause: RestartCause, active: ReadonlySet<string>): Promise<Prepared> {
    const { foundation, clock, streams, buildCore } = this.#parts;
    const { store } = foundation;
    const core = await buildCore();
    await store.messages.takeBack(core.boot, clock.now());
    const ids = new Set([...active, ...(await store.sessions.withPending())]);
    const records = await Promise.all([...ids].map((id) => store.sessions.get(id)));
    const sessions = records.flatMap((record) =>
      record ? [{ id: record.id, turns: record.turns, subscribers: streams.subscribersOf(record.id) }] : [],
    );
    const noted = sessions.map((session) => session.id);
    await store.notes.add(noted, restartNote(cause), clock.now());
    return { core, sessions };
  }

  /** Tells who serves now; those who read come back, and the old address is let go after the grace. */
  async #handOver({ reason, downtimeMs, sessions, requeued }: LastRestart, graceMs: number): Promise<void> {
    const { foundation, clock, front, streams, announce } = this.#parts;
    const { store, log, onFault } = foundation;
    const { url } = front;
    await announce().catch(onFault);
    const data = { url, downtimeMs, sessions: sessions.length, requeued };
    // 4. Awaited, so that readers get it before their streams end.
    await store.events.append([{ type: "daemon.restarted", data }], clock.now()).catch(onFault);
    streams.endAll();
    front.letGo(graceMs);
    log.info("restarted", { cause: reason, ...data });
  }
}
