import { useEffect, useMemo } from "preact/hooks";
import { useParts } from "../layout/parts.ts";
import type { Transcript, TranscriptEntry } from "../link/answers.ts";
import type { Api } from "../link/api.ts";
import { EventFeed } from "../link/event-feed.ts";
import { ArrivingReplies } from "../live/arriving-replies.ts";
import { LiveCopy } from "../live/live-copy.ts";
import { MessageLog } from "../live/message-log.ts";

/** What is said in a session: its messages, and the replies that are being given. */
export interface Conversation {
  messages: MessageLog;
  arriving: ArrivingReplies;
  /** What the daemon itself said in it. */
  notes: LiveCopy<TranscriptEntry[]>;
}

/** Follows a session for as long as the view stands. */
export function useConversation(session: string): Conversation {
  const { api, clock, isSeen } = useParts();
  const conversation = useMemo(() => {
    const messages = new MessageLog({ api, clock, session });
    const notes = new LiveCopy({ clock, load: () => loadNotes(api, session, messages), pauseMs: 2000 });
    return { messages, notes, arriving: new ArrivingReplies((task) => void requestAnimationFrame(task)) };
  }, [session]);
  useEffect(() => {
    const { messages, arriving, notes } = conversation;
    const feed = new EventFeed({
      api,
      clock,
      isSeen,
      path: `api/events?session=${encodeURIComponent(session)}&type=message.*`,
      onOpen: () => messages.touch(),
      onEvent: (event) => {
        messages.observe(event);
        arriving.observe(event);
      },
    });
    void feed.run();
    // A note is told by no event of its own; it goes along with messages.
    const ends = [messages.watch(), notes.watch(), messages.all.subscribe(() => notes.touch())];
    return () => {
      for (const end of ends) end();
      feed.stop();
    };
  }, [conversation]);
  return conversation;
}

/** The notes stand in the transcript alone: of a conversation that is too long to be read whole they are not shown. */
async function loadNotes(api: Api, session: string, messages: MessageLog): Promise<TranscriptEntry[]> {
  if (messages.all.peek() === undefined || messages.hasEarlier.peek()) return [];
  const path = `api/sessions/${encodeURIComponent(session)}/transcript`;
  const { entries } = await api.get<Transcript>(path, { Accept: "application/json" });
  return entries.filter(({ role }) => role === "system");
}
