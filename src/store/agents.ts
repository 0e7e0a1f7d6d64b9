import type { Page, PageRequest } from "./page.ts";

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

/** What coding agents leave behind (contract section 8). */
export interface AgentStore {
  /** Summaries, newest first; with `project` those of sessions labelled with it. */
  memories(filter: { project?: string }, page: PageRequest): Promise<Page<MemoryRecord>>;
  /** Counts an event that becomes no message. */
  count(event: string): Promise<void>;
  /** How often each event was counted. */
  counts(): Promise<Record<string, number>>;
}
