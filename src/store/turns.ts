import type { MessageError, NewEvent, Usage } from "../core/events.ts";
import type { MessageRecord } from "./message.ts";
import type { SessionRecord } from "./sessions.ts";

/** Who holds a message that runs: this start of the daemon and this generator. Nothing else can end its turn. */
export interface Lease {
  boot: string;
  generator: string;
}

/** What is known of a message before it is claimed. */
export interface PendingHead {
  id: string;
  seq: number;
  attempts: number;
  retryAt: number | null;
  crashes: number;
}

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
