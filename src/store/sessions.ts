import type { Page, PageRequest } from "./page.ts";

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

/** The sessions. */
export interface SessionStore {
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
  /** Ids of the sessions that have a running message. */
  inFlight(): Promise<string[]>;
}
