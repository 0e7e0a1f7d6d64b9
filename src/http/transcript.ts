import { isoTime } from "../core/clock.ts";
import type { MessageRecord } from "../store/message.ts";
import type { Note } from "../store/notes.ts";
import type { SessionRecord } from "../store/sessions.ts";
import type { Store } from "../store/store.ts";

/** Something that was said in a session. */
export interface TranscriptEntry {
  /** `system`: a note of the daemon. */
  role: "user" | "assistant" | "system";
  content: string;
  at: string;
  /** The message it belongs to; null for a note that still waits for a turn. */
  message: string | null;
  /** The context it was said in, counted from 1. */
  epoch: number;
}

const messagesPerPage = 100;

/**
 * All that was said in a session, oldest first, over all its contexts: what was asked and answered, and the daemon's
 * notes. Of a batch each message stands for itself, and the reply with the last. Read in pages, as it is asked for.
 */
export async function* transcriptOf(
  store: Store,
  session: SessionRecord,
): AsyncGenerator<TranscriptEntry, void, void> {
  const notes = Map.groupBy(await store.notes.list(session.id), (note) => note.message);
  let cursor: string | null = null;
  do {
    const page = await store.messages.list(
      { session: session.id, status: "done" },
      { limit: messagesPerPage, cursor },
    );
    for (const message of page.items) yield* entriesOf(message, notes.get(message.id) ?? []);
    cursor = page.next;
  } while (cursor !== null);
  for (const note of notes.get(null) ?? []) yield noteEntry(note, session.epoch);
}

function* entriesOf(message: MessageRecord, notes: readonly Note[]): Generator<TranscriptEntry> {
  const { id, content, reply, createdAt, finishedAt } = message;
  const epoch = message.epoch ?? 1;
  for (const note of notes) yield noteEntry(note, epoch);
  yield { role: "user", content, at: isoTime(createdAt), message: id, epoch };
  if (reply !== null)
    yield { role: "assistant", content: reply, at: isoTime(finishedAt ?? createdAt), message: id, epoch };
}

function noteEntry({ text, at, message }: Note, epoch: number): TranscriptEntry {
  return { role: "system", content: text, at: isoTime(at), message, epoch };
}

/** A transcript as JSON text: `{session, entries}`. */
export async function* transcriptJson(
  session: SessionRecord,
  entries: AsyncIterable<TranscriptEntry>,
): AsyncGenerator<string, void, void> {
  let before = `{"session":${JSON.stringify(session.id)},"entries":[`;
  for await (const entry of entries) {
    yield before + JSON.stringify(entry);
    before = ",";
  }
  yield `${before === "," ? "" : before}]}`;
}

const speakers: Record<TranscriptEntry["role"], string> = {
  user: "User",
  assistant: "Assistant",
  system: "System",
};

/** A transcript as Markdown: a heading for the session, one for each context, one for each entry. */
export async function* transcriptMarkdown(
  session: SessionRecord,
  entries: AsyncIterable<TranscriptEntry>,
): AsyncGenerator<string, void, void> {
  yield `# ${(session.title ?? session.id).replaceAll(/\s+/g, " ")}\n`;
  let epoch = 0;
  for await (const entry of entries) {
    if (entry.epoch !== epoch) yield `\n## Context ${entry.epoch}\n`;
    epoch = entry.epoch;
    const message = entry.message === null ? "" : ` · ${entry.message}`;
    yield `\n### ${speakers[entry.role]} · ${entry.at}${message}\n\n${entry.content}\n`;
  }
}
