import { SegueError } from "../core/errors.ts";
import type { NewEvent } from "../core/events.ts";
import { identityOf } from "../providers/identity.ts";
import type { Settings } from "../settings/schema.ts";
import type { AcceptRequest, AcceptResult, RetryRequest, RetryResult } from "../store/inbox.ts";
import type { MessageRecord } from "../store/message.ts";
import type { NewSession, SessionPatch, SessionRecord } from "../store/sessions.ts";
import { Bindings } from "./bindings.ts";
import { type DrainReason, type Drained, drainSessions } from "./drain.ts";
import { IdleSweep } from "./idle-sweep.ts";
import { Rollout, type RolloutStatus } from "./rollout.ts";
import { Session } from "./session.ts";
import type { SessionSurroundings } from "./surroundings.ts";

/** So many sessions are loaded in one turn of the event loop. */
const loadedAtOnce = 50;
/**
 * The sessions in memory. A session is loaded when it is made, when a message comes, and at start when it has
 * something pending; it is unloaded when it has been idle for `sessions.idleUnloadMs`.
 */
export class SessionRegistry {
  readonly #around: SessionSurroundings;
  readonly #staggerMs: () => number;
  readonly #onWishes: () => void;
  readonly #sessions = new Map<string, Session>();
  #rollout: Rollout | undefined;
  readonly #idle: IdleSweep;
  #isClosed = false;
  #isStarted = false;

  /** Sessions that are being deleted, how often, and the end of those that were. */
  readonly #leaving = new Map<string, { deletions: number; ended: Promise<unknown> | undefined }>();
  /** Sessions that were left empty are being deleted. */
  #isClearing = false;

  constructor(parts: {
    around: Omit<SessionSurroundings, "onRestarted">;
    idleUnloadMs: () => number;
    staggerMs: () => number;
    /** Called when a session has come to want another binding, or is gone. */
    onWishes: () => void;
  }) {
    this.#around = { ...parts.around, onRestarted: (session) => this.#rollout?.passed(session) };
    this.#idle = new IdleSweep({
      clock: parts.around.clock,
      idleUnloadMs: parts.idleUnloadMs,
      sessions: this.#sessions,
      unload: (sessions) => this.#unload(sessions),
    });
    this.#staggerMs = parts.staggerMs;
    this.#onWishes = parts.onWishes;
  }

  /** Loads every session that has something pending, and these. */
  async start(also: readonly string[]): Promise<void> {
    const { store, clock } = this.#around;
    let loaded = 0;
    for (const id of new Set([...(await store.sessions.withPending()), ...also])) {
      // 1. Ten thousand take seconds: whoever asks something meanwhile is answered in between.
      if (++loaded % loadedAtOnce === 0) await new Promise<void>((resolve) => clock.defer(resolve));
      const record = await store.sessions.get(id);
      if (this.#isClosed) return;
      if (record) this.#load(record).wake();
    }
    this.#isStarted = true;
  }

  /** Whether `start` has ended: before that who wants what is not known. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** The loaded session of this id. */
  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Ids of the sessions that have a turn or wait for one. */
  atWork(): string[] {
    return [...this.#sessions.values()].filter((session) => session.isAtWork).map((session) => session.id);
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
      throw new SegueError("session_exists", "a session with this id exists", {
        hint: "take another id, or leave it out to be given one",
      });
    if (!this.#isClosed) this.#load(record);
    return record;
  }

  /** Takes messages into a session's inbox (see `Store.messages.accept`) and wakes it. */
  async accept(request: Omit<AcceptRequest, "at">): Promise<AcceptResult> {
    const { store, clock } = this.#around;
    const accepting = store.messages.accept({ ...request, at: clock.now() });
    // 1. Before it is stored: the claim is then in the same commit. Who is about to be deleted may not be whose it is.
    const mayLeave = this.#leaving.has(request.session) || this.#isClearing;
    if (!this.#isClosed && !mayLeave) this.#sessions.get(request.session)?.expect();
    return this.#wakenBy(await accepting);
  }

  /** Sends failed messages again (see `Store.messages.retry`) and wakes their session. */
  async retry(request: Omit<RetryRequest, "at">): Promise<RetryResult> {
    const { store, clock } = this.#around;
    return this.#wakenBy(await store.messages.retry({ ...request, at: clock.now() }));
  }

  /** Changes what a session sets for itself; takes effect at its next boundary. Throws `session_not_found`. */
  async patch(id: string, patch: SessionPatch): Promise<SessionRecord> {
    const record = await this.#around.store.sessions.patch(id, patch);
    if (!record) throw sessionNotFound();
    const session = this.#sessions.get(id);
    session?.refresh(record);
    // 1. What a rollout had in store for it, it may no longer want: the rollout does not wait for that.
    if (session && !session.isDue()) this.#rollout?.passed(id);
    if (!this.#isClosed) this.#onWishes();
    return record;
  }

  /** Removes a session and everything in it; a turn in flight is aborted and can change nothing any more. */
  async delete(id: string): Promise<void> {
    const { store, clock } = this.#around;
    const leaving = this.#leaving.get(id) ?? { deletions: 0, ended: undefined };
    this.#leaving.set(id, leaving);
    leaving.deletions += 1;
    try {
      const isDeleted = await store.sessions.delete(id, clock.now());
      if (!isDeleted) throw sessionNotFound();
      const session = this.#sessions.get(id);
      this.#forget(id);
      session?.abort("restart");
      if (!this.#isClosed) this.#onWishes();
      leaving.ended = Promise.all([leaving.ended, session?.close()]);
      await leaving.ended;
    } finally {
      leaving.deletions -= 1;
      if (leaving.deletions === 0) this.#leaving.delete(id);
    }
  }

  /** Deletes sessions that were left empty (see `Store.retention.sessions`), from memory too. */
  async deleteEmpty(after: number, before: number): Promise<number | null> {
    const { store, clock } = this.#around;
    this.#isClearing = true;
    try {
      const { deleted, next } = await store.retention.sessions(after, before, clock.now());
      for (const id of deleted) {
        this.#sessions.get(id)?.post({ type: "closed" });
        this.#forget(id);
      }
      return next;
    } finally {
      this.#isClearing = false;
    }
  }

  /** Ends a message as cancelled; throws `message_not_found`, or `wrong_status` where it has ended already. */
  async cancel(id: string): Promise<MessageRecord> {
    const { store, clock } = this.#around;
    const result = await store.messages.cancel(id, clock.now());
    if (!result) throw new SegueError("message_not_found", "there is no such message");
    if (!result.isCancelled)
      throw new SegueError("wrong_status", `this message is ${result.message.status} already`);
    this.#sessions.get(result.message.session)?.dropMessage(id);
    return result.message;
  }

  /** Gives a session another generator; throws `session_not_found`. An unloaded one gets a new one when loaded. */
  async restart(id: string, when: "boundary" | "now"): Promise<"now" | "at_boundary"> {
    const session = this.#sessions.get(id);
    if (session) return session.restart(when);
    if (!(await this.#around.store.sessions.get(id))) throw sessionNotFound();
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

  /** The rollout of the newest revision that affected a loaded session. */
  get rollout(): RolloutStatus | null {
    return this.#rollout?.status ?? null;
  }

  /**
   * Other bindings may be the ones to have: another revision is in force, or one was held or released. Sessions that
   * wait restart at once, busy ones at their boundary, idle ones by steps, the one that was active last first.
   */
  rollOut(): void {
    if (this.#isClosed) return;
    // 1. Before anything restarts: who has been idle for long enough by now, or by another `idleUnloadMs`, goes.
    this.#idle.sweep();
    const idle: Session[] = [];
    const others: Session[] = [];
    for (const session of this.#sessions.values())
      if (session.state.kind !== "idle" || session.isAtWork) {
        if (session.follow()) others.push(session);
      } else if (session.isDue()) idle.push(session);
      else session.follow();
    this.#rollout?.supersede();
    if (idle.length + others.length === 0) return;
    const { clock, tell, revision } = this.#around;
    this.#rollout = new Rollout({
      clock,
      tell: (event) => tell([event]),
      staggerMs: this.#staggerMs,
      revision: revision(),
      idle: idle.toSorted((a, b) => idleSince(b) - idleSince(a)),
      others,
    });
    this.#rollout.start();
  }

  /** How many loaded sessions want a binding, and what the first of them runs under instead. */
  countWanting(identity: string): {
    sessions: number;
    runningUnder: { provider: string; model: string } | null;
  } {
    let sessions = 0;
    let runningUnder: { provider: string; model: string } | null = null;
    for (const session of this.#sessions.values()) {
      if (identityOf(session.wanted.config).binding !== identity) continue;
      sessions += 1;
      runningUnder ??= session.runsInstead();
    }
    return { sessions, runningUnder };
  }

  /** Whether any loaded session wants a binding; until `start` has ended whoever is still to be loaded may. */
  isWanted(identity: string): boolean {
    if (!this.#isStarted) return true;
    for (const session of this.#sessions.values())
      if (identityOf(session.wanted.config).binding === identity) return true;
    return false;
  }

  /**
   * Starts no turn any more; resolves when no session has one. At `deadline` (a time) the turns left are aborted
   * and their messages put back for `reason`; the answer says how many turns and messages that were.
   */
  async drain(deadline: number, reason: DrainReason = "drain"): Promise<Drained> {
    this.#isClosed = true;
    this.#idle.stop();
    this.#rollout?.supersede();
    const { clock } = this.#around;
    const deleted = [...this.#leaving.values()].flatMap(({ ended }) => ended ?? []);
    const drained = await drainSessions([...this.#sessions.values()], { clock, deadline, reason });
    // 1. Nobody finds those any more, but their turns may not have let go yet.
    await Promise.all(deleted);
    this.#sessions.clear();
    return drained;
  }

  #wakenBy<Result extends RetryResult>(result: Result): Result {
    if (result.kind === "accepted" && !this.#isClosed) this.#load(result.session).wake();
    return result;
  }

  #load(record: SessionRecord): Session {
    const known = this.#sessions.get(record.id);
    if (known) return known;
    const session = new Session(record, this.#around, this.#leaving.get(record.id)?.ended);
    this.#sessions.set(record.id, session);
    this.#around.tell([{ type: "session.loaded", data: { session: record.id } }]);
    this.#idle.begin();
    return session;
  }

  #unload(sessions: readonly Session[]): void {
    const told = sessions.map((session): NewEvent => {
      this.#forget(session.id);
      session.post({ type: "closed" });
      return { type: "session.unloaded", data: { session: session.id } };
    });
    if (told.length > 0) this.#around.tell(told);
  }

  #forget(id: string): void {
    this.#sessions.delete(id);
    this.#rollout?.passed(id);
  }
}

function idleSince({ state }: Session): number {
  return state.kind === "idle" ? state.since : 0;
}

function sessionNotFound(): SegueError {
  return new SegueError("session_not_found", "there is no such session");
}
