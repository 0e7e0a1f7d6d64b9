import type { JSX } from "preact";
import { Panel, Pill } from "../layout/pieces.tsx";
import { useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import type { SettingsStatus, Stats } from "../link/answers.ts";
import { countText, thingsText } from "../words/count-text.ts";
import { reasonWords } from "../words/state-words.ts";
import { clockText, untilText } from "../words/time-text.ts";

/** Who answers: ready, parked until when and why, or held. */
export function ProvidersPanel(props: {
  stats: Stats;
  held: SettingsStatus["held"];
  chosen: string | undefined;
}): JSX.Element {
  const { stats, held, chosen } = props;
  const names = Object.keys(stats.providers).filter((name) => isShown(name, props));
  return (
    <Panel title="Providers" aside={<a href={linkTo("changes")}>Holds and rollouts</a>}>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Provider</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              In flight
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name} data-provider={name}>
              <th scope="row">
                {name} {name === chosen && <small class="muted">in force</small>}
              </th>
              <td>
                <ProviderState
                  provider={stats.providers[name]}
                  holds={held.filter(({ provider }) => provider === name)}
                />
              </td>
              <td class="number">{countText(stats.providers[name]?.inFlight ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

/** The five that exist undeclared are not all in use: those that nobody asks anything of are left out. */
function isShown(name: string, { stats, held, chosen }: Parameters<typeof ProvidersPanel>[0]): boolean {
  const provider = stats.providers[name];
  const builtIn = ["claude", "gemini", "openai", "command", "echo"].includes(name);
  if (!builtIn || name === chosen || provider?.state === "parked") return true;
  return (provider?.inFlight ?? 0) > 0 || held.some((hold) => hold.provider === name);
}

function ProviderState(props: {
  provider: Stats["providers"][string] | undefined;
  holds: SettingsStatus["held"];
}): JSX.Element {
  const { now } = useParts();
  const parks = props.provider?.parks ?? [];
  if (parks.length === 0 && props.holds.length === 0) return <Pill tone="good">Ready</Pill>;
  return (
    <ul class="states">
      {props.holds.map(({ model, reason, sessions }) => (
        <li key={`held ${model}`}>
          <Pill tone="held">Held</Pill> {reasonWords(reason)}, {model}; {thingsText(sessions, "session")}
        </li>
      ))}
      {parks.map(({ endpoint, model, reason, until, sessions }) => (
        <li key={`${endpoint} ${model}`}>
          <Pill tone="wait">Parked</Pill> {reasonWords(reason)}, until{" "}
          {clockText(Date.parse(until), now.value)} ({untilText(Date.parse(until), now.value)});{" "}
          {thingsText(sessions, "session")}
        </li>
      ))}
    </ul>
  );
}
