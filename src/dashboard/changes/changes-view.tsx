import type { JSX } from "preact";
import { Panel } from "../layout/pieces.tsx";
import { useCopy, useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import type { SettingsStatus } from "../link/answers.ts";
import { LastEditPanel } from "../overview/last-edit-panel.tsx";
import { WaitingEdit } from "../settings/waiting-edit.tsx";
import { countText, thingsText } from "../words/count-text.ts";
import { blockWords, restartWords } from "../words/state-words.ts";
import { durationText } from "../words/time-text.ts";
import { DaemonPanel } from "./daemon-panel.tsx";
import { HeldPanel } from "./held-panel.tsx";
import { HappenedPanel } from "./happened-panel.tsx";

/** What is changing: an edit that waits, a rollout, restarts that are due, what is held, and the daemon itself. */
export function ChangesView(): JSX.Element {
  const { copies } = useParts();
  const status = useCopy(copies.status);
  return (
    <>
      <h1>Changes</h1>
      {!status && (
        <p class="muted" role="status">
          {copies.status.failure.value ?? "Loading…"}
        </p>
      )}
      {status && (
        <>
          <WaitingEdit />
          <div class="panels">
            <div class="column">
              <RolloutPanel rollout={status.rollout} revision={status.revision} />
              <DuePanel due={status.pendingRestarts} />
              <HeldPanel held={status.held} revision={status.revision} />
              <DaemonPanel notInForce={status.notInForce} />
            </div>
            <div class="column">
              <LastEditPanel />
              <HappenedPanel />
            </div>
          </div>
        </>
      )}
    </>
  );
}

function RolloutPanel(props: { rollout: SettingsStatus["rollout"]; revision: number }): JSX.Element {
  const { rollout, revision } = props;
  return (
    <Panel title="Rollout">
      {rollout ? (
        <>
          <p>
            Revision {rollout.revision}: {countText(rollout.done)} of {thingsText(rollout.total, "session")}{" "}
            moved, {rollout.state}.
          </p>
          <progress
            max={Math.max(1, rollout.total)}
            value={rollout.total === 0 ? 1 : rollout.done}
            aria-label={`Rollout of revision ${rollout.revision}`}
          />
        </>
      ) : (
        <p class="muted">None since the daemon started; revision {revision} is in force.</p>
      )}
    </Panel>
  );
}

const mostShown = 50;

/** Sessions that are to move, and what each waits for. */
function DuePanel({ due }: { due: SettingsStatus["pendingRestarts"] }): JSX.Element {
  const { now } = useParts();
  return (
    <Panel title="Sessions that are to move" aside={<p class="muted">{thingsText(due.length, "session")}</p>}>
      {due.length === 0 ? (
        <p class="muted">None: every loaded session has what it should.</p>
      ) : (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Session</th>
              <th scope="col">Because of</th>
              <th scope="col">Not yet, as it</th>
              <th scope="col" class="number">
                For
              </th>
            </tr>
          </thead>
          <tbody>
            {due.slice(0, mostShown).map(({ session, reason, blockedBy, waitingSince }) => (
              <tr key={session}>
                <th scope="row">
                  <a href={linkTo("sessions", session)}>{session}</a>
                </th>
                <td>{restartWords[reason]}</td>
                <td>{blockWords[blockedBy]}</td>
                <td class="number">{durationText(now.value - Date.parse(waitingSince))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {due.length > mostShown && (
        <p class="muted">and {thingsText(due.length - mostShown, "more session")}</p>
      )}
    </Panel>
  );
}
