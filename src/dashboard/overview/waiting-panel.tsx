import type { JSX } from "preact";
import { Panel } from "../layout/pieces.tsx";
import { useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import type { ShownSession } from "../link/answers.ts";
import { countText, thingsText } from "../words/count-text.ts";
import { waitWords } from "../words/state-words.ts";
import { clockText, untilText } from "../words/time-text.ts";

const mostShown = 8;

/** What waits, for what, and until when: the soonest first, those that wait without a time last. */
export function WaitingPanel({ sessions }: { sessions: readonly ShownSession[] }): JSX.Element {
  const { now } = useParts();
  const waiting = sessions.filter(({ state }) => state === "waiting").toSorted(soonestFirst);
  return (
    <Panel
      title="Waiting"
      aside={<a href={`${linkTo("sessions")}?show=waiting`}>{thingsText(waiting.length, "session")}</a>}
    >
      {waiting.length === 0 ? (
        <p class="muted">Nothing waits.</p>
      ) : (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Session</th>
              <th scope="col">For</th>
              <th scope="col">Until</th>
              <th scope="col" class="number">
                Pending
              </th>
            </tr>
          </thead>
          <tbody>
            {waiting.slice(0, mostShown).map(({ id, title, waitingFor, waitingUntil, pending }) => (
              <tr key={id}>
                <th scope="row">
                  <a href={linkTo("sessions", id)}>{title ?? id}</a>
                </th>
                <td>{waitingFor === null ? "" : waitWords[waitingFor]}</td>
                <td>
                  {waitingUntil === null ? (
                    <span class="muted">as soon as it can</span>
                  ) : (
                    `${clockText(Date.parse(waitingUntil), now.value)}, ${untilText(Date.parse(waitingUntil), now.value)}`
                  )}
                </td>
                <td class="number">{countText(pending)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {waiting.length > mostShown && (
        <p class="muted">and {thingsText(waiting.length - mostShown, "more session")}</p>
      )}
    </Panel>
  );
}

function soonestFirst(a: ShownSession, b: ShownSession): number {
  return (a.waitingUntil ?? "9").localeCompare(b.waitingUntil ?? "9");
}
