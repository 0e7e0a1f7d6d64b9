import type { JSX } from "preact";
import type { Problem } from "../../core/errors.ts";
import { useCopy, useParts } from "../layout/parts.ts";
import type { SettingsFile } from "../link/answers.ts";
import { TextDifference } from "./text-difference.tsx";

const standing: Readonly<Record<SettingsFile["state"], { tone: string; text: string }>> = {
  in_force: { tone: "good", text: "in force" },
  waiting: { tone: "wait", text: "waits to be applied" },
  rejected: { tone: "bad", text: "not valid; the last good one is in force" },
  unnoticed: { tone: "quiet", text: "just changed, not looked at yet" },
  missing: { tone: "bad", text: "not there; the last good one is in force" },
};

/** The file as it stands, line by line, with what is wrong at its place. Secrets are masked. */
export function SettingsFileView(): JSX.Element {
  const { copies } = useParts();
  const file = useCopy(copies.file);
  const status = useCopy(copies.status);
  const history = useCopy(copies.history);
  if (!file) return <p class="muted">Reading the file…</p>;
  const { tone, text } = standing[file.state];
  const accepted = history?.[0]?.settings ?? undefined;
  return (
    <>
      <p class="file-standing">
        <code>{file.path}</code> <span class={`pill ${tone}`}>{text}</span>
      </p>
      {file.state === "waiting" && file.text !== null && accepted !== undefined && (
        <section class="card" aria-label="What the waiting edit changes">
          <h2>What waits</h2>
          <TextDifference before={accepted} after={file.text} />
        </section>
      )}
      {file.text === null ? (
        <Unplaced problems={status?.problems ?? []} />
      ) : (
        <Lines text={file.text} problems={status?.problems ?? []} />
      )}
    </>
  );
}

function Unplaced({ problems }: { problems: readonly Problem[] }): JSX.Element {
  return (
    <ul>
      {problems.map(({ path, message }) => (
        <li key={path + message} class="refusal">
          {path} {message}
        </li>
      ))}
    </ul>
  );
}

function Lines({ text, problems }: { text: string; problems: readonly Problem[] }): JSX.Element {
  const unplaced = problems.filter(({ line }) => line === undefined);
  return (
    <>
      <Unplaced problems={unplaced} />
      <ol class="file-text" tabindex={0} aria-label="The settings file">
        {text.split("\n").map((line, index) => {
          const wrong = problems.filter((problem) => problem.line === index + 1);
          return (
            <li key={index} class={wrong.length > 0 ? "wrong" : undefined}>
              <code>{line === "" ? " " : line}</code>
              {wrong.map(({ path, message, column }) => (
                <p key={message} class="refusal">
                  {column !== undefined && `column ${column}: `}
                  {path} {message}
                </p>
              ))}
            </li>
          );
        })}
      </ol>
    </>
  );
}
