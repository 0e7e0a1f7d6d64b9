import type { JSX } from "preact";
import { Moment, Panel } from "../layout/pieces.tsx";
import { useCopy, useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import { thingsText } from "../words/count-text.ts";

/** The summaries of a project, newest first: what the next agent is told. */
export function Summaries({ project }: { project: string }): JSX.Element {
  const { copies } = useParts();
  const memories = useCopy(copies.memory)?.filter((memory) => memory.project === project);
  return (
    <Panel
      title="Summaries"
      wide
      aside={memories && <p class="muted">{thingsText(memories.length, "summary", "summaries")}</p>}
    >
      {memories?.length === 0 && <p class="muted">None yet: an agent leaves one when it rests.</p>}
      <ol class="summaries">
        {memories?.map(({ message, session, at, summary }) => (
          <li key={message}>
            <p class="line muted">
              <Moment at={at} />
              <a href={linkTo("sessions", session)}>{session}</a>
            </p>
            <pre class="prose">{summary}</pre>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
