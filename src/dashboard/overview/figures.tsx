import type { ComponentChildren, JSX } from "preact";
import { useCopy, useParts } from "../layout/parts.ts";
import type { SettingsStatus, ShownSession, Stats } from "../link/answers.ts";
import { countText, thingsText } from "../words/count-text.ts";
import { agoText, durationText } from "../words/time-text.ts";

/** The four figures one looks for first. */
export function Figures(props: {
  status: SettingsStatus;
  stats: Stats;
  sessions: readonly ShownSession[];
}): JSX.Element {
  const { status, stats, sessions } = props;
  const { now } = useParts();
  const waiting = sessions.filter(({ state }) => state === "waiting").length;
  const oldest = stats.oldestPendingMs;
  return (
    <dl class="figures">
      <Figure name="Revision in force" value={String(status.revision)}>
        {agoText(Date.parse(status.appliedAt), now.value)}
      </Figure>
      <Figure name="Sessions" value={countText(sessions.length)}>
        {countText(stats.busySessions)} busy, {countText(waiting)} waiting
      </Figure>
      <Figure name="Pending messages" value={countText(stats.pendingMessages)}>
        {oldest === null ? "none waits" : `the oldest for ${durationText(oldest)}`}
      </Figure>
      <TokensToday used={stats.tokensToday} turns={stats.turns} />
    </dl>
  );
}

function Figure(props: { name: string; value: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        {props.value}
        <small>{props.children}</small>
      </dd>
    </div>
  );
}

const dayMs = 24 * 60 * 60 * 1000;

/** What today cost, of what it may: the day is UTC's. */
function TokensToday({ used, turns }: { used: number; turns: number }): JSX.Element {
  const { copies, now } = useParts();
  const limit = limitOf(useCopy(copies.settings)?.settings);
  const leftMs = dayMs - (now.value % dayMs);
  return (
    <div>
      <dt>Tokens today</dt>
      <dd>
        {countText(used)}
        <small>
          {limit === 0
            ? `no limit a day; ${thingsText(turns, "turn")} in all`
            : `of ${countText(limit)} a day; begins anew in ${durationText(leftMs)}`}
        </small>
        {limit > 0 && (
          <meter
            min={0}
            max={limit}
            high={limit * 0.9}
            value={Math.min(used, limit)}
            aria-label="Share of today's tokens"
          />
        )}
      </dd>
    </div>
  );
}

function limitOf(settings: Record<string, unknown> | undefined): number {
  const limits = settings?.["limits"];
  if (typeof limits !== "object" || limits === null || !("tokensPerDay" in limits)) return 0;
  return typeof limits.tokensPerDay === "number" ? limits.tokensPerDay : 0;
}
