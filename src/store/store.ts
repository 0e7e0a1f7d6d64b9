import type { SegueError } from "../core/errors.ts";
import type { AgentStore } from "./agents.ts";
import type { CheckpointStore } from "./checkpoints.ts";
import type { EndpointStore } from "./endpoints.ts";
import type { EventStore } from "./events.ts";
import type { MessageStore } from "./messages.ts";
import type { NoteStore } from "./notes.ts";
import type { RetentionStore } from "./retention.ts";
import type { RevisionStore } from "./revisions.ts";
import type { SessionStore } from "./sessions.ts";

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
  readonly sessions: SessionStore;
  readonly messages: MessageStore;
  readonly notes: NoteStore;
  readonly endpoints: EndpointStore;
  readonly checkpoints: CheckpointStore;
  readonly retention: RetentionStore;
  readonly events: EventStore;
  readonly revisions: RevisionStore;
  readonly agents: AgentStore;
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
