import type { JSX } from "preact";
import { EventLines } from "../overview/lately-panel.tsx";
import { Panel } from "../layout/pieces.tsx";
import { useParts } from "../layout/parts.ts";

/** Of what happened lately that which changed something. */
const telling =
  /^(settings|rollout|daemon|provider|budget)\.|^session\.(restarted|restart_deferred|recovered)$/;

/** The changes since the page was opened, newest first. */
export function HappenedPanel(): JSX.Element {
  const { recent } = useParts();
  return (
    <Panel title="As it happened" aside={<p class="muted">since this page was opened</p>}>
      <EventLines events={recent.all.value.filter(({ type }) => telling.test(type)).slice(0, 30)} />
    </Panel>
  );
}
