import type { SessionRecord, SessionTemplate } from "./sessions.ts";

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
