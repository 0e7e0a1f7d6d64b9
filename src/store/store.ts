import type { SegueError } from "../core/errors.ts";
import type {
  MessageError,
  NewEvent,
  ParkReason,
  RevisionSource,
  StoredEvent,
  Usage,
} from "../core/events.ts";

/** Where a message is between being accepted and its end (contract section 5). */
export type MessageStatus = "pending" | "running" | "done" | "failed" | "cancelled";
/** Whether pending messages go to a turn one by one or together (`turn.mode`). */
export type TurnMode = "single" | "batch";

/** What a session sets for itself; null where it follows the settings. */
export interface Overrides {
  provider: string | null;
  model: string | null;
  mode: TurnMode | null;
}

/** A session as it stands in the store. Times are milliseconds since the Unix epoch. */
export interface SessionRecord {
  id: string;
  title: string | null;
  /** Its own system prompt; null means `turn.system`. */
  system: string | null;
  labels: Record<string, string>;
  overrides: Overrides;
  turns: number;
  lastInputTokens: number | null;
  epoch: number;
  /** The first `seq` of its present context. */
  contextFrom: number;
  pending: number;
  /** Identity of what its last turn that ended well ran under; null before the first. */
  proven: string | null;
  createdAt: number;
  lastActivityAt: number;
}

/** A message as it stands in the store. */
export interface MessageRecord {
  id: string;
  session: string;
  seq: number;
  content: string;
  status: MessageStatus;
  /** Attempts counted so far, the running one included. */
  attempts: number;
  reply: string | null;
  finish: string | null;
  error: MessageError | null;
  provider: string | null;
  model: string | null;
  revision: number | null;
  fallbackFrom: string | null;
  usage: Usage | null;
  repliedBy: string | null;
  retryOf: string | null;
  /** The context its turn ran in, counted from 1; null before it has ended by a turn. */
  epoch: number | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  /** Not to be taken before this time; null when it may be taken now. */
  retryAt: number | null;
  /** It has already had its one rollover for a prompt too long. */
  overflowed: boolean;
}

/** Who holds a message that runs: this start of the daemon and this generator. Nothing else can end its turn. */
export interface Lease {
  boot: string;
  generator: string;
}

/** A session to be made; null where it follows the settings. */
export interface NewSession {
  id: string;
  title: string | null;
  system: string | null;
  labels: Record<string, string>;
  overrides: Overrides;
}

/** What a session that is made by its first message sets for itself. */
export type SessionTemplate = Omit<NewSession, "id">;

/** What is to change of a session; what is absent stays. */
export interface SessionPatch {
  title?: string | null;
  system?: string | null;
  labels?: Record<string, string>;
  overrides?: Overrides;
}

/** A message to be accepted. */
export interface NewMessage {
  id: string;
  content: string;
  retryOf: string | null;
  /** It asks for a summary: it is the last of its batch, and its reply is a memory of its session's project. */
  isSummary?: boolean;
}

/** Idempotency of a post (the IETF draft `Idempotency-Key`): `hash` tells one content from another. */
export interface Idempotency {
  key: string;
  hash: string;
}

/** A post: all its messages are accepted, or none. */
export interface AcceptRequest {
  session: string;
  messages: readonly NewMessage[];
  idempotency: Idempotency | null;
  maxPending: number;
  /** Counts only where the session is new; without it such a session follows the settings in everything. */
  template?: SessionTemplate;
  at: number;
}

/** What became of a post: accepted, answered before under its key, refused for another content or for too many. */
export type AcceptResult =
  | {
      kind: "accepted";
      session: SessionRecord;
      isNewSession: boolean;
      /** Pending as they are, with nothing tried yet. */
      messages: { id: string; seq: number }[];
      at: number;
    }
  | { kind: "replayed"; messages: { id: string; seq: number }[] }
  | { kind: "conflict" }
  | { kind: "full"; pending: number };

/** Failed messages to be sent again: new ones with the same content, at the end of the inbox. */
export interface RetryRequest {
  session: string;
  /** One message; null: all that failed and were not sent again yet. */
  message: string | null;
  /** Ids for the new ones. */
  newId: () => string;
  maxPending: number;
  at: number;
}

/** What became of a retry; `nothing` where nothing failed. */
export type RetryResult = AcceptResult | { kind: "nothing" };

/** A wish for the next pending message of a session, or for several of them. */
export interface ClaimRequest {
  session: string;
  lease: Lease;
  /** The revision in force as the caller knows it; the claim is refused as `stale` where a newer one is recorded. */
  newestRevision: number;
  /** The revision of the binding that the turn runs under. */
  revision: number;
  /** At most this many messages for one turn (batch); at least 1. Messages to be taken alone come alone. */
  limit: number;
  provider: string;
  model: string;
  fallbackFrom: string | null;
  at: number;
  /** Further events to commit with a claim that succeeds. */
  events: readonly NewEvent[];
}

/** What is known of a message before it is claimed. */
export interface PendingHead {
  id: string;
  seq: number;
  attempts: number;
  retryAt: number | null;
  crashes: number;
}

/** What a claim got. */
export type ClaimResult =
  /** `messages` by `seq`, at least one. */
  | { kind: "claimed"; messages: [MessageRecord, ...MessageRecord[]]; session: SessionRecord }
  | { kind: "nothing" }
  | { kind: "stale" };

/** How a turn ended for its message. */
export type TurnResult =
  | { kind: "done"; reply: string; finish: string; usage: Usage }
  | { kind: "failed"; error: MessageError };

/** The end of a turn. */
export interface FinishRequest {
  /** Ids of all messages of the turn, by `seq`. The last gets reply and usage, the others `repliedBy`. */
  messages: readonly string[];
  lease: Lease;
  result: TurnResult;
  /** Start a fresh context with the next turn: `epoch` rises, `lastInputTokens` becomes null (same transaction). */
  rollover: { contextFrom: number } | null;
  /** Identity of what the turn ran under. */
  identity: string;
  at: number;
}

/** The end of a turn that left its messages pending. */
export interface PutBackRequest {
  messages: readonly string[];
  lease: Lease;
  reason: "drain" | "restart" | "held" | "retry" | "daemon_restart";
  /** Whether the attempt just made counts towards `turn.maxAttempts`. */
  isCounted: boolean;
  error: MessageError | null;
  /** Not to be taken before; null where only its session's binding decides. */
  retryAt: number | null;
  /** When it is expected to be taken again, for those who watch. */
  announcedAt: number | null;
  /** As in FinishRequest; marks the messages as `overflowed`. */
  rollover: { contextFrom: number } | null;
  /** From now on each is taken alone: the batch they were in does not count. */
  isAlone: boolean;
  at: number;
}

/** A turn that ended well: what was said, a batch joined by blank lines, and its reply. */
export interface Exchange {
  /** Of its first message. */
  seq: number;
  /** What the daemon had to say before it. */
  note: string | null;
  content: string;
  reply: string;
}

/** A part of a list. */
export interface Page<T> {
  items: T[];
  /** Opaque position of what follows; null at the end. */
  next: string | null;
}

/** Which part of a list: at most `limit` items, after the position of `cursor`. */
export interface PageRequest {
  limit: number;
  cursor: string | null;
}

/** An accepted state of the settings. */
export interface RevisionRecord {
  revision: number;
  at: number;
  source: RevisionSource;
  changedKeys: string[];
  /** Tells one effective state of the settings from another. */
  fingerprint: string;
  /** The text of the file with its secret literals masked; null where there was no file. */
  text: string | null;
}

/** Something the daemon had to say to a session. */
export interface Note {
  text: string;
  at: number;
  /** The first message of the turn it went along with; null while it waits for one. */
  message: string | null;
}

/** An endpoint, key and model under which a turn ended well. */
export interface Proven {
  identity: string;
  provider: string;
  kind: string;
  endpoint: string;
  model: string;
  at: number;
}

/** A binding whose first turn was refused (contract section 3.5). */
export interface HoldRecord {
  identity: string;
  provider: string;
  endpoint: string;
  model: string;
  reason: ParkReason;
  since: number;
  /** How often in a row it was tried. */
  step: number;
  /** When one turn tries it again; null: not by itself. */
  tryAt: number | null;
  /** Whether sessions go back meanwhile; after a release they wait. */
  goesBack: boolean;
}

/** An endpoint and key, or one model there, that lets nobody through until a time (contract section 4). */
export interface ParkRecord {
  scope: string;
  provider: string;
  endpoint: string;
  /** Null: all models. */
  model: string | null;
  reason: ParkReason;
  since: number;
  until: number;
  /** How often in a row it was parked. */
  step: number;
}

/** A summary of an agent's work: the reply to the message that asked for it. */
export interface MemoryRecord {
  session: string;
  /** The label `project` of its session; null where that has none. */
  project: string | null;
  /** When it was written. */
  at: number;
  summary: string;
  message: string;
}

/** A session as a checkpoint keeps it: everything of one moment. */
export interface SessionSnapshot {
  session: SessionRecord;
  /** The messages of its present context, by `seq`. */
  context: (MessageRecord & { isSummary: boolean })[];
  /** The notes of that context, and the one that waits for a turn. */
  notes: Note[];
  /** The messages that have not ended, by `seq`. */
  queue: (MessageRecord & { isSummary: boolean })[];
}

/** A message to be put back from a checkpoint: one of a context, or one that is pending. */
export type RestoredMessage = Omit<MessageRecord, "session" | "epoch" | "retryAt" | "overflowed"> & {
  status: "done" | "pending";
  isSummary: boolean;
};

/** A session to be put back from a checkpoint. */
export type RestoredSession = Pick<
  SessionRecord,
  | "id"
  | "title"
  | "system"
  | "labels"
  | "overrides"
  | "turns"
  | "lastInputTokens"
  | "epoch"
  | "createdAt"
  | "lastActivityAt"
> & {
  context: readonly RestoredMessage[];
  notes: readonly Note[];
  queue: readonly RestoredMessage[];
};

/** What became of a restore: all of it is there, or nothing, because these ids are taken. */
export type RestoreResult = { kind: "restored" } | { kind: "clash"; sessions: string[]; messages: string[] };

/** Sums over all sessions. */
export interface StoreTotals {
  pending: number;
  oldestPendingAt: number | null;
  turns: number;
  lastTurnAt: number | null;
}

/**
 * Where everything that was accepted is kept. Every write resolves after its commit is durable, or rejects and
 * has then changed nothing; the events it tells of commit with it. A read sees every write that has resolved.
 * Faults are `SegueError` with `storage`, or `storage_full` where there is no room.
 */
export interface Store {
  readonly sessions: {
    /** Makes a session; undefined where the id is taken. Tells `session.created`. */
    create(session: NewSession, at: number): Promise<SessionRecord | undefined>;
    get(id: string): Promise<SessionRecord | undefined>;
    /** Newest first. */
    list(filter: { label?: { key: string; value: string } }, page: PageRequest): Promise<Page<SessionRecord>>;
    patch(id: string, patch: SessionPatch): Promise<SessionRecord | undefined>;
    /** Removes a session and all that is in it; false where there is none. Tells `message.cancelled`, `session.deleted`. */
    delete(id: string, at: number): Promise<boolean>;
    /** How many there are. */
    count(): Promise<number>;
    /** Ids of the sessions that have a pending message. */
    withPending(): Promise<string[]>;
  };
  readonly messages: {
    /** Takes messages into a session's inbox, all or none; makes the session if it is new. Tells `message.accepted`. */
    accept(request: AcceptRequest): Promise<AcceptResult>;
    /** Takes the contents of failed messages into the inbox again, in order, all or none. Tells `message.accepted`. */
    retry(request: RetryRequest): Promise<RetryResult>;
    get(id: string): Promise<MessageRecord | undefined>;
    /** By `seq` within a session. A page of long messages may have fewer than were asked for. */
    list(
      filter: { session?: string; status?: MessageStatus; after?: number },
      page: PageRequest,
    ): Promise<Page<MessageRecord>>;
    /** The pending message with the lowest `seq`; `crashes`: how often the daemon crashed while it was in flight. */
    head(session: string): Promise<PendingHead | undefined>;
    /** Gives the pending message with the lowest `seq` to `lease`. Tells `message.started`. */
    claim(request: ClaimRequest): Promise<ClaimResult>;
    /**
     * Ends a turn; undefined where the lease no longer holds all of its messages: nothing is then stored, and those
     * it does hold are put back to be taken alone.
     */
    finish(request: FinishRequest): Promise<SessionRecord | undefined>;
    /** Makes running messages pending again, under their own `seq`; undefined where the lease holds none of them. */
    putBack(request: PutBackRequest): Promise<SessionRecord | undefined>;
    /** Ends a message that is pending or running as `cancelled`; undefined where there is none. */
    cancel(id: string, at: number): Promise<{ isCancelled: boolean; message: MessageRecord } | undefined>;
    /** Makes whatever a generator still holds pending again, uncounted: it ended by a fault of its own. */
    release(lease: Lease, at: number): Promise<number>;
    /** Makes whatever other boots still hold pending again, uncounted: what a drain could not put back itself. */
    takeBack(boot: string, at: number): Promise<number>;
    /** Forgets the attempts and waits of pending messages: the session moved to another binding. */
    resetAttempts(session: string): Promise<void>;
    /** The exchanges of a session's present context, oldest first, up to `before` (exclusive). */
    context(session: string, from: number, before: number): Promise<Exchange[]>;
    /**
     * Returns the leases of every other boot: interrupted messages become pending again; from the second crash
     * that finds the same message in flight the attempt counts, and at `maxAttempts` it ends as failed. A batch
     * that is found in flight again is taken one by one first.
     */
    recover(boot: string, maxAttempts: number, at: number): Promise<{ requeued: number; failed: number }>;
  };
  /** What the daemon says to sessions (contract section 3.6); it is no message. */
  readonly notes: {
    /** Adds a note to each session; one that still waits for a turn is not joined by a second. */
    add(sessions: readonly string[], text: string, at: number): Promise<void>;
    /** The note that goes along with the next turn. */
    pending(session: string): Promise<string | null>;
    list(session: string): Promise<Note[]>;
  };
  /** What the guard and the gate know; identities and scopes are hashes. */
  readonly endpoints: {
    load(): Promise<{ proven: Proven[]; holds: HoldRecord[]; parks: ParkRecord[] }>;
    prove(proven: Proven): Promise<void>;
    /** Stores a hold, or with null ends that of this identity, and what is told of it. */
    hold(identity: string, hold: HoldRecord | null, events: readonly NewEvent[], at: number): Promise<void>;
    /** Stores a park, or with null ends that of this scope, and what is told of it. */
    park(scope: string, park: ParkRecord | null, events: readonly NewEvent[], at: number): Promise<void>;
  };
  readonly checkpoints: {
    /** What a checkpoint keeps of a session; undefined where there is none. */
    session(id: string): Promise<SessionSnapshot | undefined>;
    /** Puts sessions back, newest first as they are listed, all or none. Tells `session.created`, `message.accepted`. */
    restore(sessions: readonly RestoredSession[], at: number): Promise<RestoreResult>;
  };
  /** Deleting what is old, in steps of a bounded length. Times are compared with `before`. */
  readonly retention: {
    /**
     * Deletes of the next messages after a position those that ended before, but for those that are in their session's
     * present context, and what belongs to them. The answer is the position to go on from; null at the end.
     */
    messages(after: number, before: number): Promise<number | null>;
    /** The same for sessions that hold no message and were active last before. Tells `session.deleted`. */
    sessions(after: number, before: number, at: number): Promise<{ deleted: string[]; next: number | null }>;
    /** Deletes the oldest events as far as they are from before; whether there may be more of them. */
    events(before: number): Promise<boolean>;
  };
  readonly events: {
    append(events: readonly NewEvent[], at: number): Promise<void>;
    /** Stored events with an id above `after`, in order. */
    after(after: number, limit: number): Promise<StoredEvent[]>;
    /** The lowest id that is kept (one above the highest where none is) and the highest given; 0, 0 before the first. */
    bounds(): Promise<{ oldest: number; newest: number }>;
  };
  readonly revisions: {
    /** Records an accepted state of the settings and gives it the next number, counted from 1. */
    record(
      revision: Omit<RevisionRecord, "revision">,
      events: (revision: number) => readonly NewEvent[],
    ): Promise<number>;
    latest(): Promise<RevisionRecord | undefined>;
    /** The revisions that are kept, newest first: the last 100. */
    list(page: PageRequest): Promise<Page<RevisionRecord>>;
    /** A revision that is kept. */
    get(revision: number): Promise<RevisionRecord | undefined>;
  };
  /** What coding agents leave behind (contract section 8). */
  readonly agents: {
    /** Summaries, newest first; with `project` those of sessions labelled with it. */
    memories(filter: { project?: string }, page: PageRequest): Promise<Page<MemoryRecord>>;
    /** Counts an event that becomes no message. */
    count(event: string): Promise<void>;
    /** How often each event was counted. */
    counts(): Promise<Record<string, number>>;
  };
  totals(): Promise<StoreTotals>;
  /** Input and output tokens of the turns that ended on the UTC day of `at`. */
  tokensOnDayOf(at: number): Promise<number>;
  /**
   * Why the last write could not be kept; null where it could. It goes away by itself, within a second or two of its
   * cause.
   */
  fault(): SegueError | null;
  /** `full` survives power loss, `normal` a crash of the process. */
  setDurability(durability: "full" | "normal"): void;
  close(): Promise<void>;
}
