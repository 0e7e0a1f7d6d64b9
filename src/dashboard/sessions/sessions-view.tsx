import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import { countText, thingsText } from "../words/count-text.ts";
import { FilterBar } from "./filter-bar.tsx";
import { NewSession } from "./new-session.tsx";
import { chosen, filterOf, queryOf, type SessionFilter } from "./session-filter.ts";
import { SessionTable } from "./session-table.tsx";
import { useInForce } from "./use-in-force.ts";

/** All sessions, live; `query` is the filter that the address asks for. */
export function SessionsView({ query }: { query: string }): JSX.Element {
  const { sessions } = useParts();
  const inForce = useInForce();
  const filter = useSignal(filterOf(query));
  useEffect(() => sessions.watch(), [sessions]);
  useEffect(() => {
    filter.value = filterOf(query);
  }, [query]);
  const onChange = (wanted: SessionFilter): void => {
    filter.value = wanted;
    keepInAddress(wanted);
  };
  const all = sessions.all.value;
  const found = all && chosen(all.values(), filter.value, inForce);
  return (
    <div class="sessions">
      <header class="head">
        <h1>Sessions</h1>
        <p class="muted" role="status">
          {all && found ? countedText(found.length, all.size) : (sessions.failure.value ?? "Loading…")}
        </p>
        <NewSession />
      </header>
      {all && found && (
        <>
          <FilterBar
            filter={filter.value}
            sessions={[...all.values()]}
            inForce={inForce}
            onChange={onChange}
          />
          <SessionTable sessions={found} filter={filter.value} inForce={inForce} onChange={onChange} />
        </>
      )}
    </div>
  );
}

function countedText(found: number, all: number): string {
  return found === all ? thingsText(all, "session") : `${countText(found)} of ${thingsText(all, "session")}`;
}

/** What is typed is one place of the history, not one for each letter. */
function keepInAddress(filter: SessionFilter): void {
  const query = queryOf(filter);
  window.history.replaceState(null, "", `${linkTo("sessions")}${query === "" ? "" : `?${query}`}`);
}
