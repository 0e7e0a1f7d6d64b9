import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useAction } from "../layout/action.ts";
import { Moment, Panel, Pill, Question } from "../layout/pieces.tsx";
import { useCopy, useParts } from "../layout/parts.ts";
import type { SettingsStatus } from "../link/answers.ts";
import { thingsText } from "../words/count-text.ts";
import { reasonWords } from "../words/state-words.ts";

/** Bindings that were tried and refused: why, who wants them, what they run under instead, and the ways out. */
export function HeldPanel(props: { held: SettingsStatus["held"]; revision: number }): JSX.Element {
  const { held, revision } = props;
  if (held.length === 0)
    return (
      <Panel title="Held">
        <p class="muted">Nothing: no binding in use was refused by its provider.</p>
      </Panel>
    );
  return (
    <Panel title="Held" aside={<Pill tone="held">{thingsText(held.length, "binding")}</Pill>}>
      {held.map((hold) => (
        <Hold key={`${hold.provider} ${hold.model} ${hold.endpoint}`} hold={hold} />
      ))}
      <WaysOut revision={revision} />
    </Panel>
  );
}

/** To try again, or to go back to the settings of before. */
function WaysOut({ revision }: { revision: number }): JSX.Element {
  const { api, copies } = useParts();
  const action = useAction();
  const isAsked = useSignal(false);
  const before = useCopy(copies.latest)?.[1]?.revision;
  const rollBack = (to: number): void => {
    isAsked.value = false;
    void action.run(() => api.send("POST", "api/settings/rollback", { body: { revision: to } }));
  };
  const release = (): void => void action.run(() => api.send("POST", "api/settings/release"));
  return (
    <>
      <p class="refusal" role="alert">
        {action.refusal.value}
      </p>
      <p class="actions">
        <button type="button" class="primary" onClick={release}>
          Release: try again now
        </button>
        {before !== undefined && (
          <button type="button" onClick={() => (isAsked.value = true)}>
            Roll back to revision {before}
          </button>
        )}
      </p>
      {isAsked.value && before !== undefined && (
        <Question
          title={`Roll back to revision ${before}?`}
          act="Roll back"
          onAct={() => rollBack(before)}
          onLeave={() => (isAsked.value = false)}
        >
          <p>
            The settings file becomes what it was then, as a new revision; secrets stay as they are now.
            Revision {revision} stays in the history.
          </p>
        </Question>
      )}
    </>
  );
}

function Hold({ hold }: { hold: SettingsStatus["held"][number] }): JSX.Element {
  const { provider, model, endpoint, reason, since, sessions, runningUnder } = hold;
  return (
    <div class="hold" data-held={provider}>
      <p>
        <b>{provider}</b> {model} <span class="muted">{endpoint}</span>
      </p>
      <p>
        {capitalized(reasonWords(reason))}, since <Moment at={since} />.{" "}
        {thingsText(sessions, "session wants", "sessions want")} it;{" "}
        {runningUnder
          ? `they run under ${runningUnder.provider} ${runningUnder.model} meanwhile.`
          : "they wait, and no message fails."}
      </p>
    </div>
  );
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
