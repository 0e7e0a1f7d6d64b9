import type { JSX } from "preact";
import type { Plan } from "../../core/events.ts";
import { planText } from "../words/plan-text.ts";

const when: readonly { key: "live" | "turn" | "restart" | "masked"; text: string }[] = [
  { key: "live", text: "at once" },
  { key: "turn", text: "at each session's next boundary" },
  { key: "restart", text: "by a restart of the daemon" },
  { key: "masked", text: "not at all: a flag of serve beats the file" },
];

/** What an edit would do: to how many sessions, and which keys take effect when. */
export function PlanCard({ plan }: { plan: Plan }): JSX.Element {
  return (
    <div class="plan">
      <p>
        <strong>{planText(plan)}</strong>
      </p>
      <ul>
        {when
          .filter(({ key }) => plan[key].length > 0)
          .map(({ key, text }) => (
            <li key={key}>
              {plan[key].map((name) => (
                <code key={name}>{name}</code>
              ))}{" "}
              <span class="muted">{text}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}
