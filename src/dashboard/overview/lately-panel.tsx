import type { JSX } from "preact";
import { Panel } from "../layout/pieces.tsx";
import { useParts } from "../layout/parts.ts";
import type { RecentEvent } from "../live/recent-events.ts";
import { eventText } from "../words/event-text.ts";
import { clockText } from "../words/time-text.ts";

/** What happened since the page was opened, newest first. */
export function LatelyPanel(): JSX.Element {
  const { recent } = useParts();
  return (
    <Panel title="Lately" aside={<p class="muted">since this page was opened</p>}>
      <EventLines events={recent.all.value.slice(0, 12)} />
    </Panel>
  );
}

/** Events, a line each. */
export function EventLines({ events }: { events: readonly RecentEvent[] }): JSX.Element {
  const { now } = useParts();
  if (events.length === 0) return <p class="muted">Nothing yet.</p>;
  return (
    <ol class="lately">
      {events.map((event) => (
        <li key={event.id} data-event={event.id} data-type={event.type}>
          <time dateTime={new Date(event.at).toISOString()}>{clockText(event.at, now.value)}</time>
          <span>{eventText(event)}</span>
        </li>
      ))}
    </ol>
  );
}
