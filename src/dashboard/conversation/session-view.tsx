import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import { SessionState } from "../sessions/session-row.tsx";
import { Composer } from "./composer.tsx";
import { MessageList } from "./message-list.tsx";
import { SessionActions } from "./session-actions.tsx";
import { SessionFacts } from "./session-facts.tsx";
import { useConversation } from "./use-conversation.ts";

/** One session: what it is, what was said, and what can be done with it. */
export function SessionView({ id }: { id: string }): JSX.Element {
  const { sessions } = useParts();
  const conversation = useConversation(id);
  useEffect(() => sessions.watch(), [sessions]);
  const session = sessions.all.value?.get(id);
  return (
    <div class="conversation">
      <header class="head">
        <div>
          <p class="crumb">
            <a href={linkTo("sessions")}>Sessions</a>
          </p>
          <h1>{session?.title ?? id}</h1>
          {session && session.title !== null && <p class="code muted">{id}</p>}
        </div>
        {session && <SessionState session={session} />}
        {session && <SessionActions session={session} />}
      </header>
      {sessions.all.value && !session && (
        <p class="muted" role="status">
          There is no such session yet; its first message makes it.
        </p>
      )}
      {session && <SessionFacts session={session} />}
      <MessageList session={id} conversation={conversation} />
      <Composer session={id} />
    </div>
  );
}
