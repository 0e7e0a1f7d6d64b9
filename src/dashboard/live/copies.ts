import type { Clock } from "../../core/clock.ts";
import type {
  Activity,
  DaemonInfo,
  Memory,
  Page,
  Revision,
  SettingsFile,
  SettingsStatus,
  SettingsInForce,
  Stats,
} from "../link/answers.ts";
import type { Api } from "../link/api.ts";
import type { FeedEvent } from "../link/event-feed.ts";
import { LiveCopy } from "./live-copy.ts";

/** What the page keeps copies of, sessions aside. */
export interface Copies {
  daemon: LiveCopy<DaemonInfo>;
  status: LiveCopy<SettingsStatus>;
  stats: LiveCopy<Stats>;
  /** The settings in force. */
  settings: LiveCopy<SettingsInForce>;
  /** The settings file as it stands. */
  file: LiveCopy<SettingsFile>;
  /** What happened in the last hour; no event tells of it. */
  activity: LiveCopy<Activity>;
  /** The latest summaries of coding agents' work, newest first. */
  memory: LiveCopy<Memory[]>;
  /** The hundred latest revisions, newest first. */
  history: LiveCopy<Revision[]>;
  /** The last revision and the one before it. */
  latest: LiveCopy<Revision[]>;
}

/** Copies that nobody has asked for yet. */
export function createCopies(api: Api, clock: Clock): Copies {
  const copyOf = <T>(load: () => Promise<T>, pauseMs: number) => new LiveCopy({ clock, load, pauseMs });
  return {
    daemon: copyOf(() => api.get("api/daemon"), 200),
    status: copyOf(() => api.get("api/settings/status"), 150),
    stats: copyOf(() => api.get("api/stats"), 500),
    settings: copyOf(() => api.get("api/settings"), 150),
    file: copyOf(() => api.get("api/settings/file"), 150),
    activity: copyOf(() => api.get("api/stats/activity"), 1000),
    memory: copyOf(async () => (await api.get<Page<Memory>>("api/memory?limit=300")).items, 1000),
    history: copyOf(() => revisions(api, 100), 200),
    latest: copyOf(() => revisions(api, 2), 150),
  };
}

async function revisions(api: Api, limit: number): Promise<Revision[]> {
  return (await api.get<Page<Revision>>(`api/settings/history?limit=${limit}`)).items;
}

/** Which copies an event puts out of date. */
const touched: readonly { types: RegExp; copies: readonly (keyof Copies)[] }[] = [
  { types: /^message\./, copies: ["stats"] },
  { types: /^message\.done$/, copies: ["memory"] },
  { types: /^session\./, copies: ["stats"] },
  { types: /^session\.(restart|unloaded|deleted)/, copies: ["status"] },
  { types: /^(rollout|provider|budget)\./, copies: ["status", "stats"] },
  { types: /^settings\./, copies: ["status", "stats", "settings", "file", "history", "latest"] },
  { types: /^daemon\./, copies: ["daemon", "status", "stats", "settings", "file", "history", "latest"] },
];

/** Touches the copies that an event puts out of date. */
export function touchCopies(copies: Copies, { type }: FeedEvent): void {
  for (const { types, copies: names } of touched)
    if (types.test(type)) for (const name of names) copies[name].touch();
}

/** Touches all: something may have been missed. */
export function touchAll(copies: Copies): void {
  copies.daemon.touch();
  copies.status.touch();
  copies.stats.touch();
  copies.settings.touch();
  copies.file.touch();
  copies.activity.touch();
  copies.memory.touch();
  copies.history.touch();
  copies.latest.touch();
}
