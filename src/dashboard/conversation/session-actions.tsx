import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useAction } from "../layout/action.ts";
import { useParts } from "../layout/parts.ts";
import { Question } from "../layout/pieces.tsx";
import { linkTo } from "../layout/route.ts";
import type { ShownSession } from "../link/answers.ts";

/** Restart, retry of what failed, and deletion of a session. */
export function SessionActions({ session }: { session: ShownSession }): JSX.Element {
  const { api } = useParts();
  const action = useAction();
  const asked = useSignal<"delete" | "now" | undefined>(undefined);
  const path = `api/sessions/${encodeURIComponent(session.id)}`;
  const leave = (): void => void (asked.value = undefined);
  const restart = (when: "boundary" | "now"): void => {
    leave();
    void action.run(() => api.send("POST", `${path}/restart`, { body: { when } }));
  };
  const remove = async (): Promise<void> => {
    leave();
    if (await action.run(() => api.send("DELETE", path))) window.location.hash = linkTo("sessions");
  };
  const isBusy = session.state === "busy";
  return (
    <div class="actions">
      <button type="button" onClick={() => (isBusy ? (asked.value = "now") : restart("boundary"))}>
        Restart
      </button>
      <button type="button" onClick={() => void action.run(() => api.send("POST", `${path}/retry`))}>
        Retry what failed
      </button>
      <button type="button" class="danger" onClick={() => (asked.value = "delete")}>
        Delete
      </button>
      <p class="refusal" role="alert">
        {action.refusal.value}
      </p>
      {asked.value === "delete" && (
        <DeleteQuestion pending={session.pending} onAct={() => void remove()} onLeave={leave} />
      )}
      {asked.value === "now" && <RestartQuestion onRestart={restart} onLeave={leave} />}
    </div>
  );
}

function DeleteQuestion(props: { pending: number; onAct: () => void; onLeave: () => void }): JSX.Element {
  return (
    <Question title="Delete this session?" act="Delete it" onAct={props.onAct} onLeave={props.onLeave}>
      <p>
        All its messages and replies go with it, {props.pending > 0 && "what is pending is cancelled, "}
        and nothing brings them back.
      </p>
    </Question>
  );
}

function RestartQuestion(props: {
  onRestart: (when: "boundary" | "now") => void;
  onLeave: () => void;
}): JSX.Element {
  return (
    <Question
      title="A turn is under way"
      act="Abort it and restart now"
      onAct={() => props.onRestart("now")}
      onLeave={props.onLeave}
    >
      <p>
        Its message is put back and goes first afterwards. Without aborting, the restart waits for its end.
      </p>
      <p class="actions">
        <button type="button" onClick={() => props.onRestart("boundary")}>
          Restart after this turn
        </button>
      </p>
    </Question>
  );
}
