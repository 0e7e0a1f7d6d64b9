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

interface FilterProps {
  filter: SessionFilter;
  sessions: readonly ShownSession[];
  inForce: InForce | undefined;
  onChange: (filter: SessionFilter) => void;
}

/** Chooses what of the sessions is shown. */
export function FilterBar(props: FilterProps): JSX.Element {
  const { filter, onChange } = props;
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
      <LabelChoice {...props} />
      <StateChoice {...props} />
    </div>
  );
}

function LabelChoice({ filter, sessions, onChange }: FilterProps): JSX.Element | null {
  const labels = labelsOf(sessions);
  if (labels.length === 0 && filter.label === "") return null;
  return (
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
  );
}

function StateChoice({ filter, sessions, inForce, onChange }: FilterProps): JSX.Element {
  return (
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
  );
}
