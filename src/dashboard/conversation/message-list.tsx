import { Fragment, type JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Conversation } from "./use-conversation.ts";
import type { TranscriptEntry } from "../link/answers.ts";
import { MessageEntry } from "./message-entry.tsx";

/** Nearer to the end than this, in pixels, one reads along: what is new is scrolled to. */
const nearEnd = 160;

/** What was said, oldest first, with replies as they arrive. */
export function MessageList({
  session,
  conversation,
}: {
  session: string;
  conversation: Conversation;
}): JSX.Element {
  const { messages, arriving } = conversation;
  const end = useRef<HTMLDivElement>(null);
  const wasNearEnd = useRef(true);
  const all = messages.all.value;
  const replies = arriving.all.value;
  const notes = conversation.notes.value.value ?? [];
  const root = document.documentElement;
  // Before the new lines stand: afterwards the end is further away.
  wasNearEnd.current = root.scrollHeight - root.scrollTop - root.clientHeight < nearEnd;
  useLayoutEffect(() => {
    if (wasNearEnd.current) end.current?.scrollIntoView({ block: "end" });
  }, [all, replies]);
  return (
    <section aria-label="Messages" class="messages" data-session={session}>
      {messages.failure.value !== undefined && all === undefined && (
        <p class="muted">{messages.failure.value}</p>
      )}
      {messages.hasEarlier.value && (
        <button type="button" onClick={() => messages.loadEarlier()}>
          Show earlier messages
        </button>
      )}
      <ol>
        {all?.map((message) => (
          <Fragment key={message.id}>
            <Notes notes={notes.filter((note) => note.message === message.id)} />
            <MessageEntry message={message} arriving={replies.get(message.id)} />
          </Fragment>
        ))}
        <Notes notes={notes.filter((note) => note.message === null)} />
      </ol>
      <div ref={end} />
    </section>
  );
}

/** What the daemon says to a session: it goes along with the message that follows it. */
function Notes({ notes }: { notes: readonly TranscriptEntry[] }): JSX.Element {
  return (
    <>
      {notes.map(({ at, content }) => (
        <li key={at} class="aside note-of-daemon">
          {content}
        </li>
      ))}
    </>
  );
}
