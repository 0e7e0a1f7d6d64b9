import type { ReadonlySignal, Signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext, useEffect } from "preact/hooks";
import type { Clock } from "../../core/clock.ts";
import type { Api } from "../link/api.ts";
import type { EventFeed } from "../link/event-feed.ts";
import type { Copies } from "../live/copies.ts";
import type { LiveCopy } from "../live/live-copy.ts";
import type { RecentEvents } from "../live/recent-events.ts";
import type { SessionList } from "../live/session-list.ts";
import type { SettingsDesk } from "../settings/settings-desk.ts";
import type { Relocation } from "./relocation.ts";
import type { Route } from "./route.ts";

/** What every view is given. */
export interface Parts {
  api: Api;
  clock: Clock;
  feed: EventFeed;
  copies: Copies;
  sessions: SessionList;
  recent: RecentEvents;
  /** What was typed into the settings. */
  desk: SettingsDesk;
  /** Whether somebody can see the page. */
  isSeen: ReadonlySignal<boolean>;
  relocation: Relocation;
  route: ReadonlySignal<Route>;
  /** The time, in milliseconds since the Unix epoch, a second at most behind. */
  now: ReadonlySignal<number>;
  /** Names of forms that hold what was typed and not sent. Leaving the page for another address waits for them. */
  drafts: Signal<ReadonlySet<string>>;
}

const Context = createContext<Parts | undefined>(undefined);

/** Hands the parts to all views below. */
export const PartsProvider = Context.Provider;

/** The parts of the page. */
export function useParts(): Parts {
  const parts = useContext(Context);
  if (!parts) throw new Error("a view stands outside of the page");
  return parts;
}

/** Watches a copy for as long as the view stands, and answers what it holds. */
export function useCopy<T>(copy: LiveCopy<T>): T | undefined {
  useEffect(() => copy.watch(), [copy]);
  return copy.value.value;
}
