import type { JSX } from "preact";
import { Panel } from "../layout/pieces.tsx";
import { linkTo } from "../layout/route.ts";
import type { ShownSession } from "../link/answers.ts";
import { type InForce, whereaboutsOf, whyElsewhere } from "../sessions/whereabouts.ts";
import { thingsText } from "../words/count-text.ts";

const mostShown = 8;

/** Which sessions are not on the provider in force, and why. */
export function ElsewherePanel(props: { sessions: readonly ShownSession[]; inForce: InForce }): JSX.Element {
  const { inForce } = props;
  const elsewhere = props.sessions.flatMap((session) => {
    const why = whyElsewhere(whereaboutsOf(session, inForce));
    return why === undefined ? [] : [{ session, why }];
  });
  return (
    <Panel
      title={`Not on ${inForce.provider}`}
      aside={<a href={`${linkTo("sessions")}?show=elsewhere`}>{thingsText(elsewhere.length, "session")}</a>}
    >
      {elsewhere.length === 0 ? (
        <p class="muted">Every session that is loaded is on the provider in force.</p>
      ) : (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Session</th>
              <th scope="col">Is on</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {elsewhere.slice(0, mostShown).map(({ session, why }) => (
              <tr key={session.id}>
                <th scope="row">
                  <a href={linkTo("sessions", session.id)}>{session.title ?? session.id}</a>
                </th>
                <td>
                  {session.provider} <small class="muted">{session.model}</small>
                </td>
                <td>{why}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {elsewhere.length > mostShown && (
        <p class="muted">and {thingsText(elsewhere.length - mostShown, "more session")}</p>
      )}
    </Panel>
  );
}
