import type { JSX } from "preact";
import { clockText, untilText } from "../words/time-text.ts";
import { useParts } from "./parts.ts";

/** Says when the connection is lost, and when the daemon is elsewhere or another. */
export function ConnectionNote(): JSX.Element {
  return (
    <div role="status" class="notes">
      <Lost />
      <Elsewhere />
    </div>
  );
}

function Lost(): JSX.Element | null {
  const { feed, now } = useParts();
  const state = feed.state.value;
  if (state.kind !== "lost") return null;
  return (
    <p class="note bad">
      <span>
        The connection is lost since {clockText(state.since, now.value)}. What is shown is of then; it is
        tried again {untilText(state.nextTryAt, now.value)}, and nothing that happens meanwhile is missed.
      </span>
      <button type="button" onClick={() => feed.retryNow()}>
        Try now
      </button>
    </p>
  );
}

function Elsewhere(): JSX.Element | null {
  const { relocation } = useParts();
  const state = relocation.state.value;
  switch (state.kind) {
    case "here":
      return null;
    case "moved":
      return (
        <p class="note wait">
          <span>
            The daemon serves at <a href={state.url}>{state.url}</a> now. What you typed is still here: send
            or save it, and the page follows.
          </span>
        </p>
      );
    case "renewed":
      return (
        <p class="note wait">
          <span>The daemon is version {state.version} now, and this page is of another.</span>
          <button type="button" onClick={() => window.location.reload()}>
            Load the page anew
          </button>
        </p>
      );
  }
}
