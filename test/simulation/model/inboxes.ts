import type { FailureKind } from "../../../src/core/events.ts";
import type { StoredEvent, Told } from "./judge.ts";
import {
  type TurnEnd,
  countAttempt,
  expectAttempt,
  expectBackoff,
  expectMayFail,
  expectMayGoOn,
} from "./attempts.ts";
import type { Revisions } from "./revisions.ts";
import { expect } from "./violation.ts";

/** A message as the events tell of it. */
export interface Message {
  id: string;
  session: string;
  seq: number;
  status: "pending" | "running" | "done" | "failed" | "cancelled";
  /** Counted attempts, the running one aside. */
  attempts: number;
  /** The daemon was started anew while it was pending: its session may have another binding since, untold. */
  mayBeReset: boolean;
  crashes: number;
  error: FailureKind | null;
  /** Not to be taken before. */
  retryAt: number | null;
  /** It had its one rollover for being too long. */
  hasOverflowed: boolean;
  turn: Turn | undefined;
}

/** A turn as the events tell of it. */
export interface Turn {
  session: string;
  /** By `seq`. */
  messages: Message[];
  /** Of its first event. */
  id: number;
  lastId: number;
  startedAt: number;
  attempt: number;
  revision: number;
  provider: string;
  model: string;
  /** The revision in force when it was started. */
  newest: number;
  /** Not before this moment, where an attempt that counted was the last thing that happened to its first message. */
  notBefore: number | null;
  end: TurnEnd | undefined;
}

/** The inbox of one session, from its creation to its deletion. */
export interface Inbox {
  session: string;
  messages: Map<string, Message>;
  pending: Set<Message>;
  lastSeq: number;
  running: Turn | undefined;
}

/** What an inbox tells of turns. */
export interface TurnListener {
  started(turn: Turn): void;
  ended(turn: Turn): void;
}

/**
 * Follows every message by its stored events: accepted means kept, exactly one outcome, in order, one turn at a time,
 * attempts (contract sections 1 and 4).
 */
export class Inboxes {
  readonly #inboxes = new Map<string, Inbox>();
  readonly #revisions: Revisions;
  readonly #listener: TurnListener;
  /** Of a turn that was started just now, more messages may follow. */
  #opening: Turn | undefined;
  /** Of all sessions that there are. */
  readonly #messages = new Map<string, Message>();

  /** Whether the end of a turn may be stored later than it was decided: the store failed in this life. */
  readonly #mayBeLate: () => boolean;

  constructor(revisions: Revisions, mayBeLate: () => boolean, listener: TurnListener) {
    this.#mayBeLate = mayBeLate;
    this.#revisions = revisions;
    this.#listener = listener;
  }

  /** The inboxes of the sessions that there are. */
  all(): Iterable<Inbox> {
    return this.#inboxes.values();
  }

  /** The inbox of a session. */
  of(session: string): Inbox | undefined {
    return this.#inboxes.get(session);
  }

  /** No more messages can follow in the turn that was started last. */
  settle(): void {
    const turn = this.#opening;
    this.#opening = undefined;
    if (turn) this.#listener.started(turn);
  }

  /** To be called before anything takes the next stored event. */
  before(event: StoredEvent): void {
    if (this.#opening && !isContinued(this.#opening, event)) this.settle();
  }

  /** Takes the next stored event. */
  event(event: StoredEvent): void {
    switch (event.type) {
      case "session.created":
        this.#created(event.data.session);
        return;
      case "message.accepted":
        return this.#accepted(event.data);
      case "message.started":
        return this.#started(event, event.data);
      case "message.done":
        return this.#left(event.at, event.data, { kind: "done", at: event.at, usage: event.data.usage });
      case "message.failed":
        return this.#failed(event.at, event.data);
      case "message.requeued":
        return this.#requeued(event.at, event.data);
      case "message.cancelled":
        return this.#left(event.at, event.data, { kind: "cancelled", at: event.at });
      case "session.restarted":
        return this.#restarted(event.data);
      case "daemon.started":
      case "daemon.restarted":
        for (const message of this.#pending()) message.mayBeReset = true;
        return;
      case "session.deleted":
        return this.#deleted(event.data.session);
      default:
    }
  }

  #created(session: string): void {
    expect(!this.#inboxes.has(session), "events", () => `${session} was created twice`);
    this.#inboxes.set(session, {
      session,
      messages: new Map(),
      pending: new Set(),
      lastSeq: 0,
      running: undefined,
    });
  }

  /** Section 1.2: numbers rise with the order of acceptance. */
  #accepted({ session, message, seq }: Told<"message.accepted">): void {
    const inbox = this.#inboxes.get(session);
    expect(
      inbox !== undefined,
      "events",
      () => `${message} was accepted into ${session}, which is not there`,
    );
    expect(!this.#messages.has(message), "exactly one outcome", () => `${message} was accepted twice`);
    expect(seq > inbox.lastSeq, "in order", () => `${session}/${seq} was accepted after ${inbox.lastSeq}`);
    inbox.lastSeq = seq;
    const accepted: Message = {
      id: message,
      session,
      seq,
      status: "pending",
      attempts: 0,
      mayBeReset: false,
      crashes: 0,
      error: null,
      retryAt: null,
      hasOverflowed: false,
      turn: undefined,
    };
    inbox.messages.set(message, accepted);
    inbox.pending.add(accepted);
    this.#messages.set(message, accepted);
  }

  /** Section 1.2: the pending message with the lowest `seq`, and one turn at a time. */
  #started(event: StoredEvent, data: Told<"message.started">): void {
    const { session, seq } = data;
    const message = this.#known(data, "message.started");
    const inbox = this.#inboxes.get(session);
    if (!inbox) return;
    const name = `${session}/${seq}`;
    expect(
      message.status === "pending",
      "exactly one outcome",
      () => `${name} was started while ${message.status}`,
    );
    const open = this.#opening;
    expect(
      inbox.running === open,
      "one turn at a time",
      () => `${name} was started while a turn of its session ran`,
    );
    for (const other of inbox.pending)
      expect(other.seq >= seq, "in order", () => `${name} was started before ${session}/${other.seq}`);
    // Where the store fails, that its session was restarted is one of the things that are lost.
    message.mayBeReset ||= this.#mayBeLate();
    expectAttempt(message, data.attempt);
    message.status = "running";
    inbox.pending.delete(message);
    // Whose attempts are forgiven waits for none of them.
    message.turn = open ?? this.#open(event, data, data.attempt === 1 ? null : message.retryAt);
    message.retryAt = null;
    message.turn.messages.push(message);
    message.turn.lastId = event.id;
    message.turn.attempt = Math.max(message.turn.attempt, data.attempt);
    inbox.running = message.turn;
  }

  #open({ id, at }: StoredEvent, data: Told<"message.started">, notBefore: number | null): Turn {
    const { session, attempt, revision, provider, model } = data;
    const newest = this.#revisions.newest?.revision ?? 0;
    const base = { session, attempt, revision, provider, model, newest, notBefore };
    this.#opening = { ...base, messages: [], id, lastId: id, startedAt: at, end: undefined };
    return this.#opening;
  }

  #failed(at: number, data: Told<"message.failed">): void {
    const message = this.#known(data, "message.failed");
    message.error = data.error.kind;
    expectMayFail(message, data.error.kind, this.#revisions, { at, mayBeLate: this.#mayBeLate() });
    this.#left(at, data, { kind: "failed", at, error: data.error.kind });
  }

  #requeued(at: number, data: Told<"message.requeued">): void {
    const message = this.#known(data, "message.requeued");
    const error = data.error?.kind ?? null;
    const end: TurnEnd = { kind: "requeued", at, error, reason: data.reason };
    const isCounted = countAttempt(message, end);
    if (isCounted) {
      message.attempts += 1;
      expectMayGoOn(message, this.#revisions, { at, mayBeLate: this.#mayBeLate() });
    }
    if (error === "context_overflow" && message.turn?.messages.length === 1) message.hasOverflowed = true;
    message.error = error ?? message.error;
    const attempts = message.turn?.attempt ?? message.attempts;
    this.#left(at, data, end);
    // Any other time is a park's, which may end before.
    if (!isCounted || data.reason !== "retry" || data.retryAt === undefined) return;
    message.retryAt = Date.parse(data.retryAt);
    expectBackoff(message, { attempts, at, mayBeLate: this.#mayBeLate() }, this.#revisions);
  }

  /** Section 1.1: exactly one outcome; only who is running ends or goes back, only who has not ended is cancelled. */
  #left(at: number, data: { session: string; message: string; seq: number }, end: TurnEnd): void {
    const message = this.#known(data, end.kind);
    const may = end.kind === "cancelled" ? ["pending", "running"] : ["running"];
    const name = `${data.session}/${data.seq}`;
    expect(
      may.includes(message.status),
      "exactly one outcome",
      () => `${name} is ${end.kind} after ${message.status}`,
    );
    const { turn } = message;
    message.status = end.kind === "requeued" ? "pending" : end.kind;
    message.turn = undefined;
    const inbox = this.#inboxes.get(data.session);
    if (message.status === "pending") inbox?.pending.add(message);
    else inbox?.pending.delete(message);
    if (!turn) return;
    // The end of a batch is told by what became of those that were not cancelled.
    // The usage of one is told with its last message.
    if (!turn.end || turn.end.kind === "cancelled" || (end.kind === "done" && end.usage)) turn.end = end;
    if (turn.messages.some((other) => other.turn === turn)) return;
    if (inbox?.running === turn) inbox.running = undefined;
    turn.end = { ...turn.end, at };
    this.#listener.ended(turn);
  }

  /** Section 4: another binding forgets attempts and waits; a restart by hand is under the same. */
  #restarted({ session, reason }: Told<"session.restarted">): void {
    if (reason === "requested") return;
    for (const message of this.#inboxes.get(session)?.pending ?? []) {
      message.attempts = 0;
      message.retryAt = null;
    }
  }

  /** Section 5: everything not ended is cancelled. */
  #deleted(session: string): void {
    const inbox = this.#inboxes.get(session);
    expect(inbox !== undefined, "events", () => `${session} was deleted and is not there`);
    for (const message of inbox.messages.values()) {
      const hasEnded = message.status !== "pending" && message.status !== "running";
      expect(
        hasEnded,
        "accepted means kept",
        () => `${session}/${message.seq} was ${message.status} at the deletion`,
      );
      this.#messages.delete(message.id);
    }
    this.#inboxes.delete(session);
  }

  #known({ session, message }: { session: string; message: string }, what: string): Message {
    const known = this.#messages.get(message);
    expect(
      known !== undefined,
      "accepted means kept",
      () => `${what} tells of ${message}, which is not there`,
    );
    expect(
      known.session === session,
      "events",
      () => `${message} is told of ${session}, it is of ${known.session}`,
    );
    return known;
  }

  *#pending(): Iterable<Message> {
    for (const inbox of this.#inboxes.values()) yield* inbox.pending;
  }
}

/** A batch is started by events that follow one another, under one binding. */
function isContinued(turn: Turn, event: StoredEvent): boolean {
  return (
    event.type === "message.started" &&
    event.id === turn.lastId + 1 &&
    event.data.session === turn.session &&
    event.data.revision === turn.revision &&
    event.data.provider === turn.provider &&
    event.at === turn.startedAt
  );
}
