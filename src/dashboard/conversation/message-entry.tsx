import type { JSX } from "preact";
import { useAction } from "../layout/action.ts";
import { useParts } from "../layout/parts.ts";
import { Moment, Pill } from "../layout/pieces.tsx";
import type { ShownMessage } from "../link/answers.ts";
import { countText, thingsText } from "../words/count-text.ts";
import { reasonWords, statusTones, statusWords } from "../words/state-words.ts";

/** A message with its reply, or why it has none yet. `arriving` is what has come of a reply under way. */
export function MessageEntry(props: { message: ShownMessage; arriving: string | undefined }): JSX.Element {
  const { message, arriving } = props;
  return (
    <li class="message" data-message={message.id} data-status={message.status}>
      <div class="said user">
        <MessageHead message={message} />
        <pre class="prose">{message.content}</pre>
      </div>
      {message.reply !== null && (
        <div class="said assistant">
          <ReplyHead message={message} />
          <pre class="prose">{message.reply}</pre>
        </div>
      )}
      {message.reply === null && arriving !== undefined && message.status === "running" && (
        <div class="said assistant arriving" aria-live="off">
          <pre class="prose">{arriving}</pre>
        </div>
      )}
      {message.status === "done" && message.repliedBy !== null && (
        <p class="aside muted">Answered together with a later message.</p>
      )}
      <MessageCause message={message} />
    </li>
  );
}

function MessageHead({ message }: { message: ShownMessage }): JSX.Element {
  const { api } = useParts();
  const action = useAction();
  const path = `api/messages/${encodeURIComponent(message.id)}`;
  const isOpen = message.status === "pending" || message.status === "running";
  return (
    <p class="line">
      <span class="muted">#{message.seq}</span>
      <Pill tone={statusTones[message.status]}>{statusWords[message.status]}</Pill>
      <span class="muted">
        <Moment at={message.createdAt} />
      </span>
      {message.attempts > 1 && <span class="muted">{thingsText(message.attempts, "attempt")}</span>}
      {message.retryOf !== null && <span class="muted">sent again</span>}
      <span class="end">
        {isOpen && (
          <button
            type="button"
            class="small"
            onClick={() => void action.run(() => api.send("POST", `${path}/cancel`))}
          >
            Cancel
          </button>
        )}
        {message.status === "failed" && (
          <button
            type="button"
            class="small"
            onClick={() => void action.run(() => api.send("POST", `${path}/retry`))}
          >
            Retry
          </button>
        )}
      </span>
      <span class="refusal" role="alert">
        {action.refusal.value}
      </span>
    </p>
  );
}

function ReplyHead({ message }: { message: ShownMessage }): JSX.Element {
  const { provider, model, revision, usage, fallbackFrom, finish, finishedAt } = message;
  return (
    <p class="line muted">
      <b>{provider}</b> {model}
      {fallbackFrom !== null && <span>instead of {fallbackFrom}</span>}
      {revision !== null && <span>revision {revision}</span>}
      {usage && (
        <span>
          {usage.estimated ? "about " : ""}
          {countText(usage.inputTokens)} in, {countText(usage.outputTokens)} out
        </span>
      )}
      {finish === "length" && <span>cut at the output limit</span>}
      {finishedAt !== null && (
        <span class="end">
          <Moment at={finishedAt} />
        </span>
      )}
    </p>
  );
}

/** Why the last attempt did not end well. */
function MessageCause({ message }: { message: ShownMessage }): JSX.Element | null {
  const { error, status } = message;
  if (!error || status === "done") return null;
  return (
    <p class={status === "failed" ? "aside bad" : "aside wait"}>
      <b>{status === "failed" ? "Failed" : "Last attempt"}:</b> {reasonWords(error.kind).replaceAll("_", " ")}
      {error.status !== undefined && ` (${error.status})`}. {error.message}
    </p>
  );
}
