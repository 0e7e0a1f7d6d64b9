import type { JSX } from "preact";
import type { ShownSession } from "../link/answers.ts";
import { countText } from "../words/count-text.ts";
import { stateWords } from "../words/state-words.ts";
import { isShown, labelsOf, type SessionFilter, type Show } from "./session-filter.ts";
import type { InForce } from "./whereabouts.ts";

const shows: readonly { show: Show; label: string }[] = [
  { show: "all", label: "All" },
  { show: "busy", label: stateWords.busy },
  { show: "waiting", label: stateWords.waiting },
  { show: "restarting", label: stateWords.restarting },
  { show: "idle", label: stateWords.idle },
  { show: "unloaded", label: stateWords.unloaded },
  { show: "elsewhere", label: "Not on the provider in force" },
];

/** Chooses what of the sessions is shown. */
export function FilterBar(props: {
  filter: SessionFilter;
  all: ReadonlyMap<string, ShownSession>;
  inForce: InForce | undefined;
  onChange: (filter: SessionFilter) => void;
}): JSX.Element {
  const { filter, all, inForce, onChange } = props;
  const sessions = [...all.values()];
  const labels = labelsOf(sessions);
  return (
    <div class="filters">
      <input
        type="search"
        aria-label="Search sessions"
        placeholder="Search  ( / )"
        value={filter.search}
        data-key="/"
        onInput={(event) => onChange({ ...filter, search: event.currentTarget.value })}
      />
      {(labels.length > 0 || filter.label !== "") && (
        <select
          aria-label="Label"
          value={filter.label}
          onChange={(event) => onChange({ ...filter, label: event.currentTarget.value })}
        >
          <option value="">Any label</option>
          {labels.map((label) => (
            <option key={label} value={label}>
              {label}
            </option>
          ))}
        </select>
      )}
      <fieldset class="chips">
        <legend>State</legend>
        {shows.map(({ show, label }) => (
          <label key={show} class="chip">
            <input
              type="radio"
              name="show"
              checked={filter.show === show}
              onChange={() => onChange({ ...filter, show })}
            />
            <span>
              {label} <b>{countText(sessions.filter((one) => isShown(one, show, inForce)).length)}</b>
            </span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}
