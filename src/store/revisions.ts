import type { NewEvent, RevisionSource } from "../core/events.ts";
import type { Page, PageRequest } from "./page.ts";

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

/** The accepted states of the settings. */
export interface RevisionStore {
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
}
