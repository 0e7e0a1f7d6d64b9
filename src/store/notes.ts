/** Something the daemon had to say to a session. */
export interface Note {
  text: string;
  at: number;
  /** The first message of the turn it went along with; null while it waits for one. */
  message: string | null;
}

/** What the daemon says to sessions (contract section 3.6); it is no message. */
export interface NoteStore {
  /** Adds a note to each session; one that still waits for a turn is not joined by a second. */
  add(sessions: readonly string[], text: string, at: number): Promise<void>;
  /** The note that goes along with the next turn. */
  pending(session: string): Promise<string | null>;
  list(session: string): Promise<Note[]>;
}
