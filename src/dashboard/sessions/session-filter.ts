import type { ShownSession } from "../link/answers.ts";
import { type InForce, whereaboutsOf, whyElsewhere } from "./whereabouts.ts";

/** What of the sessions is shown: a state, or those that are not on the provider in force. */
export type Show = "all" | ShownSession["state"] | "elsewhere";

/** What sessions can be sorted by. */
export type SortKey = "created" | "name" | "state" | "provider" | "pending" | "turns" | "tokens" | "activity";

/** A choice of sessions. */
export interface SessionFilter {
  show: Show;
  /** Words that all have to occur in id, title, provider, model or labels. */
  search: string;
  /** `KEY:VALUE`; empty for any. */
  label: string;
  sort: SortKey;
  isDescending: boolean;
}

/** Everything, newest first. */
const everything: SessionFilter = {
  show: "all",
  search: "",
  label: "",
  sort: "created",
  isDescending: true,
};

/** The sessions that a filter lets through, in its order. */
export function chosen(
  sessions: Iterable<ShownSession>,
  filter: SessionFilter,
  inForce: InForce | undefined,
): ShownSession[] {
  const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...sessions].filter(
    (session) =>
      isShown(session, filter.show, inForce) && hasLabel(session, filter.label) && hasWords(session, words),
  );
  const compare = comparisons[filter.sort];
  if (compare) found.sort(filter.isDescending ? (a, b) => compare(b, a) : compare);
  else if (!filter.isDescending) found.reverse();
  return found;
}

/** Whether a session belongs to what is shown. */
export function isShown(session: ShownSession, show: Show, inForce: InForce | undefined): boolean {
  if (show === "all") return true;
  if (show !== "elsewhere") return session.state === show;
  return inForce !== undefined && whyElsewhere(whereaboutsOf(session, inForce)) !== undefined;
}

/** The labels of sessions as `KEY:VALUE`, each once, in order. */
export function labelsOf(sessions: Iterable<ShownSession>): string[] {
  const found = new Set<string>();
  for (const { labels } of sessions)
    for (const [key, value] of Object.entries(labels)) found.add(`${key}:${value}`);
  return [...found].toSorted();
}

function hasLabel({ labels }: ShownSession, label: string): boolean {
  return label === "" || Object.entries(labels).some(([key, value]) => `${key}:${value}` === label);
}

function hasWords(session: ShownSession, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const { id, title, provider, model, labels } = session;
  const text = [id, title ?? "", provider, model, ...Object.values(labels)].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

const stateOrder: readonly ShownSession["state"][] = ["unloaded", "idle", "restarting", "waiting", "busy"];

type Compare = (a: ShownSession, b: ShownSession) => number;

/** Ascending; the order in which they come is that of their making. */
const comparisons: Readonly<Record<Exclude<SortKey, "created">, Compare>> & { created?: Compare } = {
  name: (a, b) => (a.title ?? a.id).localeCompare(b.title ?? b.id),
  state: (a, b) => stateOrder.indexOf(a.state) - stateOrder.indexOf(b.state),
  provider: (a, b) => `${a.provider} ${a.model}`.localeCompare(`${b.provider} ${b.model}`),
  pending: (a, b) => a.pending - b.pending,
  turns: (a, b) => a.turns - b.turns,
  tokens: (a, b) => (a.lastInputTokens ?? 0) - (b.lastInputTokens ?? 0),
  activity: (a, b) => a.lastActivityAt.localeCompare(b.lastActivityAt),
};

const shows: readonly Show[] = ["all", "busy", "waiting", "restarting", "idle", "unloaded", "elsewhere"];
const sortKeys = ["created", "name", "state", "provider", "pending", "turns", "tokens", "activity"] as const;

/** The filter that an address asks for; what it does not say is as in `everything`. */
export function filterOf(query: string): SessionFilter {
  const given = new URLSearchParams(query);
  const sort = sortKeys.find((key) => key === given.get("sort"));
  return {
    show: shows.find((show) => show === given.get("show")) ?? everything.show,
    search: given.get("search") ?? everything.search,
    label: given.get("label") ?? everything.label,
    sort: sort ?? everything.sort,
    isDescending: given.get("order") !== "ascending",
  };
}

/** The address of a filter; empty where it lets everything through. */
export function queryOf({ show, search, label, sort, isDescending }: SessionFilter): string {
  const query = new URLSearchParams();
  if (show !== everything.show) query.set("show", show);
  if (search !== "") query.set("search", search);
  if (label !== "") query.set("label", label);
  if (sort !== everything.sort) query.set("sort", sort);
  if (!isDescending) query.set("order", "ascending");
  return query.toString();
}
