import type { MessageRecord } from "./message.ts";
import type { Note } from "./notes.ts";
import type { SessionRecord } from "./sessions.ts";

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

/** Sessions as a checkpoint keeps them. */
export interface CheckpointStore {
  /** What a checkpoint keeps of a session; undefined where there is none. */
  session(id: string): Promise<SessionSnapshot | undefined>;
  /** Puts sessions back, newest first as they are listed, all or none. Tells `session.created`, `message.accepted`. */
  restore(sessions: readonly RestoredSession[], at: number): Promise<RestoreResult>;
}
