import type { JSX } from "preact";
import type { ShownSession } from "../link/answers.ts";
import { useRowWindow } from "./row-window.ts";
import type { SessionFilter, SortKey } from "./session-filter.ts";
import { SessionRow } from "./session-row.tsx";
import { type InForce, whereaboutsOf, whyElsewhere } from "./whereabouts.ts";

/** Every line is as high: so it is known where each stands, drawn or not. The style sheet holds to it. */
const rowHeight = 52;

const columns: readonly { key: SortKey; label: string; class: string }[] = [
  { key: "name", label: "Session", class: "wide" },
  { key: "state", label: "State", class: "state" },
  { key: "provider", label: "Provider and model", class: "where" },
  { key: "pending", label: "Pending", class: "number" },
  { key: "turns", label: "Turns", class: "number optional" },
  { key: "tokens", label: "Tokens", class: "number optional" },
  { key: "activity", label: "Active", class: "number optional" },
];

/** Sessions as a table, of which only what is seen is drawn. */
export function SessionTable(props: {
  sessions: readonly ShownSession[];
  filter: SessionFilter;
  inForce: InForce | undefined;
  onChange: (filter: SessionFilter) => void;
}): JSX.Element {
  const { sessions, filter, inForce, onChange } = props;
  const { scroller, first, end, before, after } = useRowWindow(sessions.length, rowHeight);
  return (
    // Scrolled by keys too, so it has to be reached by them.
    <div ref={scroller} class="scroller" tabindex={0} role="region" aria-label="Sessions, a list to scroll">
      <table class="rows" aria-rowcount={sessions.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <ColumnHead key={column.key} column={column} filter={filter} onChange={onChange} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Room height={before} />
          {sessions.slice(first, end).map((session, index) => (
            <SessionRow
              key={session.id}
              session={session}
              place={first + index + 2}
              why={inForce && whyElsewhere(whereaboutsOf(session, inForce))}
            />
          ))}
          <Room height={after} />
        </tbody>
      </table>
      {sessions.length === 0 && <p class="empty muted">No session fits.</p>}
    </div>
  );
}

/** Stands for lines that are not drawn. */
function Room({ height }: { height: number }): JSX.Element | null {
  if (height === 0) return null;
  return (
    <tr aria-hidden="true" class="room">
      <td colSpan={columns.length} style={{ height: `${height}px` }} />
    </tr>
  );
}

/** A heading that sorts: once by it, again the other way round. */
function ColumnHead(props: {
  column: (typeof columns)[number];
  filter: SessionFilter;
  onChange: (filter: SessionFilter) => void;
}): JSX.Element {
  const { column, filter, onChange } = props;
  const isSorted = filter.sort === column.key;
  const order = filter.isDescending ? "descending" : "ascending";
  const sort = (): void =>
    onChange({ ...filter, sort: column.key, isDescending: isSorted ? !filter.isDescending : true });
  return (
    <th scope="col" class={column.class} aria-sort={isSorted ? order : undefined}>
      <button type="button" class="plain" onClick={sort}>
        {column.label}
        {isSorted && <span aria-hidden="true">{filter.isDescending ? " ↓" : " ↑"}</span>}
      </button>
    </th>
  );
}
