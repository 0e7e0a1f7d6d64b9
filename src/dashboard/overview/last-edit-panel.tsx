import type { JSX } from "preact";
import { Moment, Panel } from "../layout/pieces.tsx";
import { useCopy, useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import type { Revision } from "../link/answers.ts";
import { thingsText } from "../words/count-text.ts";
import { changedValues } from "./changed-values.ts";

const sources: Readonly<Record<Revision["source"], string>> = {
  start: "at the start",
  file: "by an edit of the file",
  reference: "by a file or variable it refers to",
  api: "from here or by the API",
  rollback: "by a rollback",
  signal: "by a signal",
};

const mostShown = 8;

/** What the last edit changed. */
export function LastEditPanel(): JSX.Element {
  const { copies } = useParts();
  const [last, before] = useCopy(copies.latest) ?? [];
  const changes = last ? changedValues(last.changedKeys, before?.settings ?? null, last.settings) : [];
  return (
    <Panel title="Last edit" aside={<a href={linkTo("settings", "history")}>History</a>}>
      {last && (
        <>
          <p class="muted">
            Revision {last.revision}, <Moment at={last.at} />, {sources[last.source]}.
          </p>
          {changes.length === 0 ? (
            <p>It changed nothing.</p>
          ) : (
            <dl class="changes">
              {changes.slice(0, mostShown).map(({ key, before: was, after }) => (
                <div key={key}>
                  <dt class="code">{key}</dt>
                  <dd>
                    {before && (
                      <>
                        <del>{was}</del> <span aria-hidden="true">→</span>{" "}
                      </>
                    )}
                    <ins>{after}</ins>
                  </dd>
                </div>
              ))}
            </dl>
          )}
          {changes.length > mostShown && (
            <p class="muted">and {thingsText(changes.length - mostShown, "more key")}</p>
          )}
        </>
      )}
    </Panel>
  );
}
