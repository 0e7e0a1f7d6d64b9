import type { JSX } from "preact";
import { useParts } from "../layout/parts.ts";
import { PlanCard } from "./plan-card.tsx";

/** What was typed would do this: save it, or leave it. Says nothing while nothing was typed. */
export function DraftBar(): JSX.Element {
  const { desk } = useParts();
  const { plan, refusal, saved, underneath } = desk;
  const unplaced = (refusal.value?.problems ?? []).filter(({ path }) => !desk.draft.value.has(path));
  return (
    <div class="draft-bar" role="status" hidden={!desk.isDirty.value && saved.value === undefined}>
      {saved.value !== undefined && <p>Saved: revision {saved.value} is in force.</p>}
      {desk.isDirty.value && (
        <>
          <div class="draft-says">
            {underneath.value !== undefined && (
              <p class="caution">
                The file changed underneath: revision {underneath.value} is in force now. Nothing you typed is
                lost.
              </p>
            )}
            {plan.value && <PlanCard plan={plan.value} />}
            {refusal.value && <p class="refusal">{refusal.value.message}</p>}
            {unplaced.map(({ path, message }) => (
              <p key={path + message} class="refusal">
                {path} {message}
              </p>
            ))}
            {!plan.value && !refusal.value && <p class="muted">What would it do?</p>}
          </div>
          <p class="actions">
            <button type="button" onClick={() => desk.discard()}>
              Discard
            </button>
            <button
              type="button"
              class="primary"
              disabled={desk.isSaving.value || !plan.value}
              onClick={() => void desk.save()}
            >
              {desk.isSaving.value ? "Saving" : "Save"}
            </button>
          </p>
        </>
      )}
    </div>
  );
}
