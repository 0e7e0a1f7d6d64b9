import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Plan } from "../../core/events.ts";
import { useAction } from "../layout/action.ts";
import { useCopy, useParts } from "../layout/parts.ts";
import { Moment } from "../layout/pieces.tsx";
import type { Revision } from "../link/answers.ts";
import { PlanCard } from "./plan-card.tsx";
import { TextDifference } from "./text-difference.tsx";

const sources: Readonly<Record<Revision["source"], string>> = {
  start: "at a start",
  file: "the file was edited",
  reference: "a referenced file changed",
  api: "edited over HTTP",
  rollback: "rolled back",
  signal: "read again on a signal",
};

/** The accepted states of the settings, newest first: what each changed, and the way back to it. */
export function SettingsHistory(): JSX.Element {
  const { copies } = useParts();
  const history = useCopy(copies.history);
  if (!history) return <p class="muted">Reading the history…</p>;
  return (
    <ol class="history">
      {history.map((revision, index) => (
        <RevisionCard
          key={revision.revision}
          revision={revision}
          before={history[index + 1]}
          isInForce={index === 0}
        />
      ))}
    </ol>
  );
}

interface RevisionProps {
  revision: Revision;
  before: Revision | undefined;
  isInForce: boolean;
}

function RevisionCard({ revision, before, isInForce }: RevisionProps): JSX.Element {
  const { changedKeys } = revision;
  return (
    <li class="card">
      <header>
        <h2>Revision {revision.revision}</h2>
        {isInForce && <span class="pill good">in force</span>}
        <span class="muted">
          <Moment at={revision.at} />, {sources[revision.source]}
        </span>
      </header>
      <p>
        {changedKeys.length === 0 ? (
          <span class="muted">Nothing was changed.</span>
        ) : (
          changedKeys.map((key) => <code key={key}>{key}</code>)
        )}
      </p>
      {before && revision.settings !== null && (
        <details open={isInForce}>
          <summary>Difference to revision {before.revision}</summary>
          <TextDifference before={before.settings ?? ""} after={revision.settings} />
        </details>
      )}
      {!isInForce && revision.settings !== null && <RollBack revision={revision.revision} />}
    </li>
  );
}

/** Asks first what it would do; only then it can be done. */
function RollBack({ revision }: { revision: number }): JSX.Element {
  const { api } = useParts();
  const { isRunning, refusal, run } = useAction();
  const plan = useSignal<Plan | undefined>(undefined);
  const body = { revision };
  const ask = (): Promise<boolean> =>
    run(async () => {
      const answer = await api.send<{ plan: Plan }>("POST", "api/settings/rollback?dryRun=1", { body });
      plan.value = answer.plan;
    });
  const rollBack = async (): Promise<void> => {
    const isDone = await run(() => api.send("POST", "api/settings/rollback", { body }));
    if (isDone) plan.value = undefined;
  };
  return (
    <div class="rollback">
      {plan.value && <PlanCard plan={plan.value} />}
      <p class="refusal" role="alert">
        {refusal.value}
      </p>
      <p class="actions">
        {plan.value ? (
          <>
            <button type="button" onClick={() => (plan.value = undefined)}>
              Leave it
            </button>
            <button type="button" class="primary" disabled={isRunning.value} onClick={() => void rollBack()}>
              Roll back to {revision}
            </button>
          </>
        ) : (
          <button type="button" disabled={isRunning.value} onClick={() => void ask()}>
            Roll back to {revision}…
          </button>
        )}
      </p>
    </div>
  );
}
