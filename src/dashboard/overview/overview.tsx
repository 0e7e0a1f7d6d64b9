import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useCopy, useParts } from "../layout/parts.ts";
import { useInForce } from "../sessions/use-in-force.ts";
import { ActivityChart } from "./activity-chart.tsx";
import { ElsewherePanel } from "./elsewhere-panel.tsx";
import { Figures } from "./figures.tsx";
import { LastEditPanel } from "./last-edit-panel.tsx";
import { LatelyPanel } from "./lately-panel.tsx";
import { ProvidersPanel } from "./providers-panel.tsx";
import { SettingsPanel } from "./settings-panel.tsx";
import { WaitingPanel } from "./waiting-panel.tsx";

/** How the daemon stands: what is in force, what is pending, what is wrong, and what it cost. */
export function Overview(): JSX.Element {
  const { copies, sessions } = useParts();
  const status = useCopy(copies.status);
  const stats = useCopy(copies.stats);
  const inForce = useInForce();
  useEffect(() => sessions.watch(), [sessions]);
  const all = [...(sessions.all.value?.values() ?? [])];
  if (!status || !stats) return <Loading failure={copies.status.failure.value} />;
  return (
    <>
      <h1>Overview</h1>
      <Figures status={status} stats={stats} sessions={all} />
      <ActivityChart />
      <div class="panels">
        <div class="column">
          <SettingsPanel status={status} />
          <ProvidersPanel stats={stats} held={status.held} chosen={inForce?.provider} />
          {inForce && <ElsewherePanel sessions={all} inForce={inForce} />}
        </div>
        <div class="column">
          <LastEditPanel />
          <WaitingPanel sessions={all} />
          <LatelyPanel />
        </div>
      </div>
    </>
  );
}

function Loading({ failure }: { failure: string | undefined }): JSX.Element {
  return (
    <>
      <h1>Overview</h1>
      <p class="muted" role="status">
        {failure ?? "Loading…"}
      </p>
    </>
  );
}
