import { useEffect, useMemo } from "preact/hooks";
import { useParts } from "../layout/parts.ts";
import { EventFeed } from "../link/event-feed.ts";
import { ArrivingReplies } from "../live/arriving-replies.ts";
import { MessageLog } from "../live/message-log.ts";

/** What is said in a session: its messages, and the replies that are being given. */
export interface Conversation {
  messages: MessageLog;
  arriving: ArrivingReplies;
}

/** Follows a session for as long as the view stands. */
export function useConversation(session: string): Conversation {
  const { api, clock, isSeen } = useParts();
  const conversation = useMemo(
    () => ({
      messages: new MessageLog({ api, clock, session }),
      arriving: new ArrivingReplies((task) => void requestAnimationFrame(task)),
    }),
    [session],
  );
  useEffect(() => {
    const { messages, arriving } = conversation;
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
    const unwatch = messages.watch();
    return () => {
      unwatch();
      feed.stop();
    };
  }, [conversation]);
  return conversation;
}
