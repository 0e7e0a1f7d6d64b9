import type { JSX } from "preact";
import { useAction } from "../layout/action.ts";
import { useCopy, useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import { PlanCard } from "./plan-card.tsx";

/** In `manual` mode: the edit of the file that waits, what it would do, and the button that puts it in force. */
export function WaitingEdit(): JSX.Element | null {
  const { api, copies } = useParts();
  const status = useCopy(copies.status);
  const { isRunning, refusal, run } = useAction();
  if (!status?.waiting) return null;
  return (
    <section class="card waiting-edit" aria-labelledby="waiting-edit">
      <header>
        <h2 id="waiting-edit">An edit of the file waits</h2>
        <a href={linkTo("settings", "file")}>See it</a>
      </header>
      <PlanCard plan={status.waiting} />
      <p class="refusal" role="alert">
        {refusal.value}
      </p>
      <p class="actions">
        <button
          type="button"
          class="primary"
          disabled={isRunning.value}
          onClick={() => void run(() => api.send("POST", "api/settings/apply"))}
        >
          Apply it
        </button>
      </p>
    </section>
  );
}
