import type { JSX } from "preact";
import { Moment, Panel, Pill } from "../layout/pieces.tsx";
import { useCopy, useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import type { SettingsStatus } from "../link/answers.ts";
import { thingsText } from "../words/count-text.ts";

/** The settings file: whether it is in force, how it is watched, and what is wrong with it. */
export function SettingsPanel({ status }: { status: SettingsStatus }): JSX.Element {
  const { path, revision, appliedAt, watching, mode, problems, waiting, notInForce, ignored } = status;
  const isGood = problems.length === 0;
  return (
    <Panel
      title="Settings file"
      aside={<Pill tone={isGood ? (waiting ? "wait" : "good") : "bad"}>{standing(status)}</Pill>}
    >
      <p class="code path">{path}</p>
      <p class="muted">
        Revision {revision} is in force since <Moment at={appliedAt} />.{" "}
        {watching === "native" ? "Watched natively." : "Watched by polling: the system gives no file events."}{" "}
        {mode === "manual" && "Edits wait until they are applied."}
      </p>
      {!isGood && <Problems problems={problems} path={path} revision={revision} />}
      {waiting && (
        <p>
          An edit waits: <a href={linkTo("settings")}>see what it would do</a>.
        </p>
      )}
      {notInForce.map(({ key, reason }) => (
        <p key={key} class="refusal">
          <code>{key}</code> is not in force: {reason}
        </p>
      ))}
      {ignored && ignored.length > 0 && (
        <p class="muted">Ignored, as they mean nothing here: {ignored.join(", ")}</p>
      )}
    </Panel>
  );
}

function standing({ problems, waiting }: SettingsStatus): string {
  if (problems.length > 0) return thingsText(problems.length, "problem");
  return waiting ? "Edit waits" : "In force";
}

/** Each problem with its place and the line itself, as it may be shown. */
function Problems(props: {
  problems: SettingsStatus["problems"];
  path: string;
  revision: number;
}): JSX.Element {
  const { copies } = useParts();
  const lines = useCopy(copies.file)?.text?.split("\n");
  const name = props.path.split("/").at(-1);
  return (
    <>
      <p class="refusal">The file is not in force; revision {props.revision}, the last good one, stays.</p>
      <ul class="problems">
        {props.problems.map(({ path, message, line, column }) => (
          <li key={`${path} ${line} ${column}`}>
            <p>
              {line !== undefined && (
                <span class="code">
                  {name}:{line}
                  {column !== undefined && `:${column}`}{" "}
                </span>
              )}
              {!message.startsWith(path) && <b>{path} </b>}
              {message}
            </p>
            {line !== undefined && lines?.[line - 1] !== undefined && (
              <pre class="source">
                <span class="number">{line}</span>
                {lines[line - 1]}
              </pre>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
