import type { ComponentChildren, JSX } from "preact";
import { Moment, Panel } from "../layout/pieces.tsx";
import { linkTo } from "../layout/route.ts";
import type { ShownSession } from "../link/answers.ts";
import { useInForce } from "../sessions/use-in-force.ts";
import { whereaboutsOf, whyElsewhere } from "../sessions/whereabouts.ts";
import { countText } from "../words/count-text.ts";

/** What a session runs under and what it has done. */
export function SessionFacts({ session }: { session: ShownSession }): JSX.Element {
  const inForce = useInForce();
  const why = inForce && whyElsewhere(whereaboutsOf(session, inForce));
  const { provider, model, bindingRevision, labels, lastInputTokens, system } = session;
  return (
    <Panel title="What it runs under">
      <dl class="facts">
        <Fact name="Provider">
          {provider} <span class="muted">{model}</span>
          {why !== undefined && <small class="why">{why}</small>}
        </Fact>
        <Fact name="Since revision">{bindingRevision ?? "–"}</Fact>
        <Fact name="Pending">{countText(session.pending)}</Fact>
        <Fact name="Turns">{countText(session.turns)}</Fact>
        <Fact name="Tokens of the last turn">
          {lastInputTokens === null ? "–" : countText(lastInputTokens)}
        </Fact>
        <Fact name="Context">{session.epoch}</Fact>
        <Fact name="Made">
          <Moment at={session.createdAt} />
        </Fact>
        <Fact name="Active">
          <Moment at={session.lastActivityAt} />
        </Fact>
        {Object.entries(labels).map(([key, value]) => (
          <Fact key={key} name={key}>
            {key === "project" ? <a href={linkTo("projects", value)}>{value}</a> : value}
          </Fact>
        ))}
      </dl>
      {system !== null && system !== "" && (
        <details>
          <summary>System prompt</summary>
          <pre class="prose">{system}</pre>
        </details>
      )}
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
