import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useAction } from "../layout/action.ts";
import { useParts } from "../layout/parts.ts";

/** Sends a message into a session. What is typed stays until the daemon has it on disk. */
export function Composer({ session }: { session: string }): JSX.Element {
  const { api, drafts } = useParts();
  const action = useAction();
  const text = useSignal("");
  const name = `message to ${session}`;
  const isDraft = text.value.trim() !== "";
  useEffect(() => {
    drafts.value = withName(drafts.peek(), name, isDraft);
    return () => void (drafts.value = withName(drafts.peek(), name, false));
  }, [isDraft, name]);
  const send = async (): Promise<void> => {
    const content = text.peek();
    if (content.trim() === "") return;
    const path = `api/sessions/${encodeURIComponent(session)}/messages`;
    const isSent = await action.run(() => api.send("POST", path, { body: { content } }));
    if (isSent && text.peek() === content) text.value = "";
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        aria-label="Message"
        placeholder="Message (Ctrl + Enter sends it)"
        rows={3}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
        }}
      />
      <p class="refusal" role="alert">
        {action.refusal.value}
      </p>
      <button type="submit" class="primary" disabled={!isDraft || action.isRunning.value}>
        Send
      </button>
    </form>
  );
}

function withName(names: ReadonlySet<string>, name: string, isIn: boolean): ReadonlySet<string> {
  const changed = new Set(names);
  if (isIn) changed.add(name);
  else changed.delete(name);
  return changed;
}
