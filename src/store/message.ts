import type { MessageError, Usage } from "../core/events.ts";

/** Where a message is between being accepted and its end (contract section 5). */
export type MessageStatus = "pending" | "running" | "done" | "failed" | "cancelled";

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
