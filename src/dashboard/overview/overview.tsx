import type { JSX } from "preact";
import { useCopy, useParts } from "../layout/parts.ts";
import { countText, thingsText } from "../words/count-text.ts";
import { agoText } from "../words/time-text.ts";

/** How the daemon stands, at a glance. */
export function Overview(): JSX.Element {
  const { copies, now } = useParts();
  const status = useCopy(copies.status);
  const stats = useCopy(copies.stats);
  return (
    <>
      <h1>Overview</h1>
      {status && stats && (
        <dl class="figures">
          <div>
            <dt>Revision in force</dt>
            <dd>
              {status.revision} <small>{agoText(Date.parse(status.appliedAt), now.value)}</small>
            </dd>
          </div>
          <div>
            <dt>Sessions in memory</dt>
            <dd>{thingsText(stats.activeSessions, "session")}</dd>
          </div>
          <div>
            <dt>Pending messages</dt>
            <dd>{countText(stats.pendingMessages)}</dd>
          </div>
          <div>
            <dt>Tokens today</dt>
            <dd>{countText(stats.tokensToday)}</dd>
          </div>
        </dl>
      )}
    </>
  );
}
