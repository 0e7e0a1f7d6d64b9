import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ConnectionNote } from "./connection-note.tsx";
import { useCopy, useParts } from "./parts.ts";
import { linkTo, type Route } from "./route.ts";

const places: readonly { name: string; label: string; views: readonly Route["view"][] }[] = [
  { name: "", label: "Overview", views: ["overview"] },
  { name: "sessions", label: "Sessions", views: ["sessions", "session"] },
  { name: "projects", label: "Projects", views: ["projects"] },
  { name: "changes", label: "Changes", views: ["changes"] },
  { name: "settings", label: "Settings", views: ["settings"] },
];

/** The frame of every view: where one is, where one can go, and how the daemon stands. */
export function Layout({ children }: { children: ComponentChildren }): JSX.Element {
  const { route } = useParts();
  useArrival(route.value);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => skipTo(event)}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={linkTo()}>
          <img src="dashboard.svg" alt="" width="24" height="24" />
          Segue
        </a>
        <nav aria-label="Views">
          {places.map(({ name, label, views }) => (
            <a
              key={name}
              href={name === "" ? linkTo() : linkTo(name)}
              aria-current={views.includes(route.value.view) ? "page" : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        <Standing />
      </header>
      <ConnectionNote />
      <main id="main" tabindex={-1}>
        {children}
      </main>
    </>
  );
}

/** Names the page after its view; who goes to another is read that one from its top. */
function useArrival(route: Route): void {
  const place = JSON.stringify(route.view === "sessions" ? route.view : route);
  const isFirst = useRef(true);
  useEffect(() => {
    const label = places.find(({ views }) => views.includes(route.view))?.label ?? "";
    document.title = route.view === "session" ? `${route.id} · Segue` : `${label} · Segue`;
    if (!isFirst.current) document.querySelector<HTMLElement>("#main")?.focus();
    isFirst.current = false;
  }, [place]);
}

/** The fragment is the place of the page: it is not given away for a jump. */
function skipTo(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}

/** The revision in force and how the connection is, on every view. */
function Standing(): JSX.Element {
  const { copies, feed } = useParts();
  const status = useCopy(copies.status);
  const daemon = useCopy(copies.daemon);
  const state = feed.state.value;
  const isDraining = daemon?.phase === "draining";
  const link = state.kind === "lost" ? "Offline" : isDraining ? "Draining" : "Live";
  const tone = state.kind === "lost" ? "bad" : isDraining ? "wait" : "good";
  return (
    <p class="standing">
      {status && status.problems.length > 0 && (
        <a class="pill bad" href={linkTo()}>
          Settings file not valid
        </a>
      )}
      {status && <span class="muted">Revision {status.revision}</span>}
      <span class={`pill ${state.kind === "connecting" ? "quiet" : tone}`} data-link={state.kind}>
        {state.kind === "connecting" ? "Connecting" : link}
      </span>
    </p>
  );
}
