import type { JSX } from "preact";
import { clockText, untilText } from "../words/time-text.ts";
import { useParts } from "./parts.ts";

/** Says when the connection is lost, since when, and when it is tried again. */
export function ConnectionNote(): JSX.Element {
  const { feed, now } = useParts();
  const state = feed.state.value;
  return (
    <div role="status" class="notes">
      {state.kind === "lost" && (
        <p class="note bad">
          <span>
            The connection is lost since {clockText(state.since, now.value)}. What is shown is of then; it is
            tried again {untilText(state.nextTryAt, now.value)}, and nothing that happens meanwhile is missed.
          </span>
          <button type="button" onClick={() => feed.retryNow()}>
            Try now
          </button>
        </p>
      )}
    </div>
  );
}
