import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { SessionState } from "../sessions/session-row.tsx";
import { Panel } from "../layout/pieces.tsx";
import { useCopy, useParts } from "../layout/parts.ts";
import { linkTo } from "../layout/route.ts";
import type { ShownSession } from "../link/answers.ts";
import { thingsText } from "../words/count-text.ts";
import { agoText } from "../words/time-text.ts";
import { Summaries } from "./summaries.tsx";

/** What coding agents do, by project: their sessions here, and what they left behind. */
export function ProjectsView({ project }: { project: string | undefined }): JSX.Element {
  const { sessions } = useParts();
  useEffect(() => sessions.watch(), [sessions]);
  const all = sessions.all.value;
  const byProject = Map.groupBy(
    [...(all?.values() ?? [])].filter(({ labels }) => labels["project"] !== undefined),
    ({ labels }) => labels["project"] ?? "",
  );
  if (project !== undefined) return <Project project={project} sessions={byProject.get(project) ?? []} />;
  return (
    <>
      <h1>Projects</h1>
      {all && byProject.size === 0 && <NoAgents />}
      <div class="panels">
        {[...byProject].map(([name, own]) => (
          <ProjectCard key={name} project={name} sessions={own} />
        ))}
      </div>
    </>
  );
}

function NoAgents(): JSX.Element {
  return (
    <p class="muted">
      No coding agent has told of its work yet. <code>segue connect claude-code</code> has it do so.
    </p>
  );
}

function ProjectCard(props: { project: string; sessions: readonly ShownSession[] }): JSX.Element {
  const { project, sessions } = props;
  const { copies, now } = useParts();
  const latest = useCopy(copies.memory)?.find((memory) => memory.project === project);
  const last = sessions
    .map(({ lastActivityAt }) => lastActivityAt)
    .toSorted()
    .at(-1);
  const name = project.split("/").findLast((part) => part !== "") ?? project;
  return (
    <Panel
      title={name}
      aside={<span class="muted">{last !== undefined && agoText(Date.parse(last), now.value)}</span>}
    >
      <p class="code path">{project}</p>
      {latest ? <p class="excerpt">{latest.summary}</p> : <p class="muted">No summary yet.</p>}
      <p>
        <a href={linkTo("projects", project)}>
          {thingsText(sessions.length, "session")} and summaries<span class="aloud"> of {project}</span>
        </a>
      </p>
    </Panel>
  );
}

function Project(props: { project: string; sessions: readonly ShownSession[] }): JSX.Element {
  const { project, sessions } = props;
  const { now } = useParts();
  return (
    <>
      <header class="head">
        <div>
          <p class="crumb">
            <a href={linkTo("projects")}>Projects</a>
          </p>
          <h1>{project}</h1>
        </div>
      </header>
      <div class="panels">
        <Panel title="Sessions" aside={<p class="muted">{thingsText(sessions.length, "session")}</p>}>
          <ul class="states">
            {sessions.map((session) => (
              <li key={session.id} class="line">
                <a href={linkTo("sessions", session.id)}>{session.title ?? session.id}</a>
                <SessionState session={session} />
                <span class="muted end">{agoText(Date.parse(session.lastActivityAt), now.value)}</span>
              </li>
            ))}
          </ul>
        </Panel>
        <Summaries project={project} />
      </div>
    </>
  );
}
