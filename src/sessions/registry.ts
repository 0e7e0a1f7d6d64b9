import type { Cancel } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";
import type { NewEvent } from "../core/events.ts";
import type { Settings } from "../settings/schema.ts";
import type {
  AcceptRequest,
  AcceptResult,
  MessageRecord,
  NewSession,
  SessionPatch,
  SessionRecord,
} from "../store/store.ts";
import { Bindings } from "./bindings.ts";
import { dueToUnload } from "./idle.ts";
import { Session, type SessionSurroundings } from "./session.ts";

/** At the earliest this long after the last look it is looked again who may be unloaded. */
const shortestSweepMs = 1000;

/**
 * The sessions in memory. A session is loaded when it is made, when a message comes, and at start when it has
 * something pending; it is unloaded when it has been idle for `sessions.idleUnloadMs`.
 */
export class SessionRegistry {
  readonly #around: SessionSurroundings;
  readonly #idleUnloadMs: () => number;
  readonly #sessions = new Map<string, Session>();
  #cancelSweep: Cancel | undefined;
  #isClosed = false;

  constructor(parts: { around: SessionSurroundings; idleUnloadMs: () => number }) {
    this.#around = parts.around;
    this.#idleUnloadMs = parts.idleUnloadMs;
  }

  /** Loads every session that has something pending. */
  async start(): Promise<void> {
    const { store } = this.#around;
    for (const id of await store.sessions.withPending()) {
      const record = await store.sessions.get(id);
      if (record) this.#load(record).wake();
    }
    this.#scheduleSweep();
  }

  /** The loaded session of this id. */
  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** All loaded sessions. */
  loaded(): Iterable<Session> {
    return this.#sessions.values();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Makes a session and loads it; throws `session_exists`. */
  async create(session: NewSession): Promise<SessionRecord> {
    const { store, clock } = this.#around;
    const record = await store.sessions.create(session, clock.now());
    if (!record)
      throw new SegueError("session_exists", `a session with the id ${session.id} exists`, {
        hint: "take another id, or leave it out to be given one",
      });
    if (!this.#isClosed) this.#load(record);
    return record;
  }

  /** Takes messages into a session's inbox (see `Store.messages.accept`) and wakes it. */
  async accept(request: Omit<AcceptRequest, "at">): Promise<AcceptResult> {
    const { store, clock } = this.#around;
    const result = await store.messages.accept({ ...request, at: clock.now() });
    if (result.kind === "accepted" && !this.#isClosed) this.#load(result.session).wake();
    return result;
  }

  /** Changes what a session sets for itself; takes effect at its next boundary. Throws `session_not_found`. */
  async patch(id: string, patch: SessionPatch): Promise<SessionRecord> {
    const record = await this.#around.store.sessions.patch(id, patch);
    if (!record) throw sessionNotFound(id);
    this.#sessions.get(id)?.refresh(record);
    return record;
  }

  /** Removes a session and everything in it; a turn in flight is aborted and can change nothing any more. */
  async delete(id: string): Promise<void> {
    const { store, clock } = this.#around;
    const isDeleted = await store.sessions.delete(id, clock.now());
    if (!isDeleted) throw sessionNotFound(id);
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    session?.abort("restart");
    await session?.close();
  }

  /** Ends a message as cancelled; throws `message_not_found`, or `wrong_status` where it has ended already. */
  async cancel(id: string): Promise<MessageRecord> {
    const { store, clock } = this.#around;
    const result = await store.messages.cancel(id, clock.now());
    if (!result) throw new SegueError("message_not_found", `there is no message ${id}`);
    if (!result.isCancelled)
      throw new SegueError("wrong_status", `message ${id} is ${result.message.status} already`);
    this.#sessions.get(result.message.session)?.abortTurn(id);
    return result.message;
  }

  /** Gives a session another generator; throws `session_not_found`. An unloaded one gets a new one when loaded. */
  async restart(id: string, when: "boundary" | "now"): Promise<"now" | "at_boundary"> {
    const session = this.#sessions.get(id);
    if (session) return session.restart(when);
    if (!(await this.#around.store.sessions.get(id))) throw sessionNotFound(id);
    return "now";
  }

  /** How many loaded sessions other settings would affect, and how (contract section 3.3). */
  countAffected(settings: Settings): { now: number; atBoundary: number; unaffected: number } {
    const { inForce } = this.#around.bindings;
    const bindings = new Bindings(() => ({ ...inForce, settings }));
    const counts = { now: 0, atBoundary: 0, unaffected: 0 };
    for (const session of this.#sessions.values())
      if (!session.wouldChangeUnder(bindings)) counts.unaffected += 1;
      else if (session.state.kind === "busy") counts.atBoundary += 1;
      else counts.now += 1;
    return counts;
  }

  /** Another revision is in force. */
  settingsChanged(): void {
    for (const session of this.#sessions.values()) session.refresh();
    this.#scheduleSweep();
  }

  /**
   * Starts no turn any more; resolves when no session has one. At `deadline` (a time) the turns left are aborted
   * and their messages put back; the answer says how many that were.
   */
  async drain(deadline: number): Promise<{ aborted: number }> {
    this.#isClosed = true;
    this.#cancelSweep?.();
    const closing = [...this.#sessions.values()];
    const closed = Promise.all(closing.map((session) => session.close()));
    const ended = new AbortController();
    const grace = this.#around.clock.sleep(deadline - this.#around.clock.now(), ended.signal);
    const isInTime = await Promise.race([closed.then(() => true), grace.then(() => false)]);
    ended.abort();
    let aborted = 0;
    if (!isInTime)
      for (const session of closing)
        if (session.isAtWork) {
          aborted += 1;
          session.abort("drain");
        }
    await closed;
    this.#sessions.clear();
    return { aborted };
  }

  #load(record: SessionRecord): Session {
    const known = this.#sessions.get(record.id);
    if (known) return known;
    const session = new Session(record.id, record, this.#around);
    this.#sessions.set(record.id, session);
    this.#around.tell([{ type: "session.loaded", data: { session: record.id } }]);
    if (!this.#cancelSweep) this.#scheduleSweep();
    return session;
  }

  #sweep(): void {
    const { unload, nextAt } = dueToUnload(this.#sessions.values(), this.#around.clock.now(), this.#idleUnloadMs());
    const told = unload.map((session): NewEvent => {
      this.#sessions.delete(session.id);
      session.post({ type: "closed" });
      return { type: "session.unloaded", data: { session: session.id } };
    });
    if (told.length > 0) this.#around.tell(told);
    this.#scheduleSweep(nextAt);
  }

  #scheduleSweep(at?: number): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    if (this.#isClosed || this.#sessions.size === 0) return;
    const { clock } = this.#around;
    const waitMs = at === undefined ? this.#idleUnloadMs() : at - clock.now();
    this.#cancelSweep = clock.after(Math.max(waitMs, shortestSweepMs), () => {
      this.#cancelSweep = undefined;
      this.#sweep();
    });
  }
}

function sessionNotFound(id: string): SegueError {
  return new SegueError("session_not_found", `there is no session ${id}`);
}
