import type { JSX } from "preact";
import { Pill } from "../layout/pieces.tsx";
import { useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import type { ShownSession } from "../link/answers.ts";
import { countText } from "../words/count-text.ts";
import { stateTones, stateWords, waitWords } from "../words/state-words.ts";
import { agoText, untilText } from "../words/time-text.ts";

/** A session as a line of the table, at its place in that. `why` says why it is not on the provider in force. */
export function SessionRow(props: {
  session: ShownSession;
  place: number;
  why: string | undefined;
}): JSX.Element {
  const { session, place, why } = props;
  const { id, title, labels, provider, model, pending, turns, lastInputTokens, lastActivityAt } = session;
  const { now } = useParts();
  return (
    <tr aria-rowindex={place} data-session={id}>
      <th scope="row">
        <a href={linkTo("sessions", id)}>{title ?? id}</a>
        <small>
          {title !== null && <span class="code">{id}</span>}
          {Object.entries(labels).map(([key, value]) => (
            <span key={key} class="label">
              {key} {value}
            </span>
          ))}
        </small>
      </th>
      <td>
        <SessionState session={session} />
      </td>
      <td class="where">
        {provider}
        <small title={why === undefined ? model : `${model}. ${why}`}>
          {why === undefined ? model : <em>{why}</em>}
        </small>
      </td>
      <td class="number">{pending === 0 ? <span class="muted">0</span> : countText(pending)}</td>
      <td class="number optional">{countText(turns)}</td>
      <td class="number optional">{lastInputTokens === null ? "–" : countText(lastInputTokens)}</td>
      <td class="number optional muted">{agoText(Date.parse(lastActivityAt), now.value)}</td>
    </tr>
  );
}

/** The state of a session: a pill, and under it what it waits for and until when. */
export function SessionState({ session }: { session: ShownSession }): JSX.Element {
  const { now } = useParts();
  const { state, waitingFor, waitingUntil } = session;
  return (
    <span class="state">
      <Pill tone={stateTones[state]}>{stateWords[state]}</Pill>
      {waitingFor !== null && (
        <small>
          {waitWords[waitingFor]}
          {waitingUntil !== null && `, ${untilText(Date.parse(waitingUntil), now.value)}`}
        </small>
      )}
    </span>
  );
}
