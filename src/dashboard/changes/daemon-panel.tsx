import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useAction } from "../layout/action.ts";
import { Moment, Panel, Pill, Question } from "../layout/pieces.tsx";
import { useCopy, useParts } from "../layout/parts.ts";
import type { DaemonInfo, SettingsStatus } from "../link/answers.ts";
import { thingsText } from "../words/count-text.ts";

/** The daemon: where it serves, its last restart, and the button for another. */
export function DaemonPanel({ notInForce }: { notInForce: SettingsStatus["notInForce"] }): JSX.Element {
  const { api, copies } = useParts();
  const daemon = useCopy(copies.daemon);
  const action = useAction();
  const asked = useSignal(false);
  const restart = (): void => {
    asked.value = false;
    void action.run(() => api.send("POST", "api/daemon/restart"));
  };
  return (
    <Panel
      title="Daemon"
      aside={daemon && <Pill tone={daemon.phase === "serving" ? "good" : "wait"}>{daemon.phase}</Pill>}
    >
      {daemon && (
        <p>
          Segue {daemon.version} at <span class="code">{daemon.url}</span>, process {daemon.pid}, since{" "}
          <Moment at={daemon.startedAt} />.
        </p>
      )}
      {daemon && <LastRestart last={daemon.lastRestart} />}
      {notInForce.map(({ key, reason }) => (
        <p key={key} class="refusal">
          <code>{key}</code> is not in force: {reason}
        </p>
      ))}
      <p class="refusal" role="alert">
        {action.refusal.value}
      </p>
      <p class="actions">
        <button type="button" onClick={() => (asked.value = true)}>
          Restart the daemon
        </button>
      </p>
      {asked.value && (
        <Question
          title="Restart the daemon?"
          act="Restart it"
          onAct={restart}
          onLeave={() => (asked.value = false)}
        >
          <p>
            No message is lost. Turns in flight may finish within <code>daemon.graceMs</code>; those that do
            not are put back and begin again.
          </p>
        </Question>
      )}
    </Panel>
  );
}

function LastRestart({ last }: { last: DaemonInfo["lastRestart"] }): JSX.Element {
  if (!last) return <p class="muted">It was not restarted in this process.</p>;
  return (
    <p>
      Restarted <Moment at={last.at} /> ({last.reason}), {last.downtimeMs} ms without turns;{" "}
      {thingsText(last.sessions.length, "session")} taken up again, {thingsText(last.requeued, "message")} put
      back, {thingsText(last.timedOut, "turn")} cut at the grace.
    </p>
  );
}
