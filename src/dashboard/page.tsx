import "./style/page.css";
import { effect, signal } from "@preact/signals";
import { type JSX, render } from "preact";
import { type Clock, systemClock } from "../core/clock.ts";
import { Layout } from "./layout/layout.tsx";
import { Login } from "./layout/login.tsx";
import { type Parts, PartsProvider, useParts } from "./layout/parts.ts";
import { Relocation } from "./layout/relocation.ts";
import { followRoute } from "./layout/route.ts";
import { followSight } from "./layout/sight.ts";
import { Api } from "./link/api.ts";
import { EventFeed } from "./link/event-feed.ts";
import { createCopies, touchAll, touchCopies } from "./live/copies.ts";
import { RecentEvents } from "./live/recent-events.ts";
import { SessionList } from "./live/session-list.ts";
import { ChangesView } from "./changes/changes-view.tsx";
import { ProjectsView } from "./projects/projects-view.tsx";
import { Overview } from "./overview/overview.tsx";
import { SessionsView } from "./sessions/sessions-view.tsx";
import { SessionView } from "./conversation/session-view.tsx";
import { SettingsDesk } from "./settings/settings-desk.ts";
import { SettingsView } from "./settings/settings-view.tsx";

/** All but the pieces of replies: a view that shows one asks for them itself. */
const families = ["session", "settings", "rollout", "provider", "budget", "daemon"].map(
  (name) => `${name}.*`,
);
const ends = ["accepted", "started", "done", "failed", "requeued", "cancelled"].map(
  (name) => `message.${name}`,
);

function buildParts(clock: Clock): Parts {
  const api = new Api();
  const isSeen = followSight(document, clock);
  const copies = createCopies(api, clock);
  const sessions = new SessionList(api, clock);
  const recent = new RecentEvents((task) => void requestAnimationFrame(task));
  const feed = new EventFeed({
    api,
    clock,
    isSeen,
    path: `api/events?type=${[...families, ...ends].join(",")}`,
    onOpen: () => {
      touchAll(copies);
      sessions.touch();
    },
    onEvent: (event) => {
      touchCopies(copies, event);
      sessions.observe(event);
      recent.add(event);
      relocation.observe(event);
    },
  });
  const desk = new SettingsDesk({ api, clock, settings: copies.settings });
  const drafts = signal<ReadonlySet<string>>(new Set());
  effect(() => {
    const others = [...drafts.peek()].filter((name) => name !== "settings");
    drafts.value = new Set(desk.isDirty.value ? [...others, "settings"] : others);
  });
  const relocation = new Relocation({ location: window.location, daemon: copies.daemon.value, drafts });
  const route = followRoute(window);
  return {
    api,
    clock,
    copies,
    sessions,
    recent,
    desk,
    feed,
    isSeen,
    relocation,
    route,
    now: ticking(clock),
    drafts,
  };
}

function ticking(clock: Clock) {
  const now = signal(clock.now());
  const tick = (): void => {
    now.value = clock.now();
    clock.after(1000, tick);
  };
  tick();
  return now;
}

function Page(): JSX.Element {
  const { api } = useParts();
  if (api.isTokenWanted.value) return <Login />;
  return (
    <Layout>
      <View />
    </Layout>
  );
}

function View(): JSX.Element {
  const { route } = useParts();
  const place = route.value;
  switch (place.view) {
    case "sessions":
      return <SessionsView query={place.query} />;
    case "session":
      return <SessionView key={place.id} id={place.id} />;
    case "settings":
      return <SettingsView rest={place.rest} />;
    case "projects":
      return <ProjectsView project={place.project} />;
    case "changes":
      return <ChangesView />;
    case "overview":
      return <Overview />;
  }
}

/** An element that names a key is focused by it, wherever nothing is being typed. */
function focusByKey(event: KeyboardEvent): void {
  const { target, key, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || !(target instanceof HTMLElement)) return;
  if (target.matches("input, textarea, select, [contenteditable]")) return;
  const wanted = [...document.querySelectorAll<HTMLElement>("[data-key]")].find(
    ({ dataset }) => dataset["key"] === key,
  );
  if (!wanted) return;
  event.preventDefault();
  wanted.focus();
}

const app = document.querySelector("#app");
if (app) {
  const parts = buildParts(systemClock);
  window.addEventListener("beforeunload", (event) => {
    if (parts.drafts.peek().size > 0) event.preventDefault();
  });
  window.addEventListener("online", () => parts.feed.retryNow());
  window.addEventListener("keydown", focusByKey);
  void parts.feed.run();
  render(
    <PartsProvider value={parts}>
      <Page />
    </PartsProvider>,
    app,
  );
}
