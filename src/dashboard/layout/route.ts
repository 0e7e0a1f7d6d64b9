import { type ReadonlySignal, signal } from "@preact/signals";

/** A place of the page. */
export type Route =
  | { view: "overview" }
  /** `query` is the filter, as in an address. */
  | { view: "sessions"; query: string }
  | { view: "session"; id: string }
  | { view: "projects"; project: string | undefined }
  | { view: "changes" }
  /** What follows belongs to the settings view. */
  | { view: "settings"; rest: readonly string[] };

/** The place that a fragment such as `#/sessions/notes` names; the overview for any that is none. */
export function routeOf(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#?\/?/, "").split("?", 2);
  const [view, ...rest] = path.split("/").map(decoded);
  const [first] = rest;
  switch (view) {
    case "sessions":
      return first === undefined || first === ""
        ? { view: "sessions", query }
        : { view: "session", id: first };
    case "projects":
      return { view: "projects", project: first === "" ? undefined : first };
    case "changes":
      return { view: "changes" };
    case "settings":
      return { view: "settings", rest };
    default:
      return { view: "overview" };
  }
}

/** The address of a place, from its parts. */
export function linkTo(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** A part of a fragment; one that somebody typed wrongly is taken as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The present place, kept in the address: it can be bookmarked, and "back" goes back. */
export function followRoute(window: Window): ReadonlySignal<Route> {
  const route = signal(routeOf(window.location.hash));
  window.addEventListener("hashchange", () => {
    route.value = routeOf(window.location.hash);
  });
  return route;
}
