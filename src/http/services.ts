import type { Clock } from "../core/clock.ts";
import type { Problem } from "../core/errors.ts";
import type { Plan } from "../core/events.ts";
import type { Ids } from "../core/ids.ts";
import type { Gate } from "../providers/gate.ts";
import type { Guard } from "../providers/guard.ts";
import type { Bindings } from "../sessions/bindings.ts";
import type { SessionRegistry } from "../sessions/registry.ts";
import type { EditAnswer, EditOptions } from "../settings/edit-in-force.ts";
import type { Edit } from "../settings/edit.ts";
import type { InForce } from "../settings/in-force.ts";
import type { ShownFile } from "../settings/settings.ts";
import type { Store } from "../store/store.ts";
import type { Activity } from "./activity.ts";
import type { EventStreams } from "./event-stream.ts";
import type { MessageEnds } from "./message-ends.ts";
import type { Metrics } from "./metrics.ts";

/** What the last restart was, as `GET /api/daemon` shows it. */
export interface LastRestart {
  at: number;
  reason: string;
  /** From closing the gate to turns until it was open again. */
  downtimeMs: number;
  /** Those that had a turn in flight, something pending or a reader of their events. */
  sessions: { id: string; turns: number; subscribers: number }[];
  /** Messages that were put back. */
  requeued: number;
  /** Turns aborted at the end of the grace. */
  timedOut: number;
}

/** What the daemon tells of itself. */
export interface DaemonInfo {
  instanceId: string;
  pid: number;
  version: string;
  startedAt: number;
  phase: "starting" | "serving" | "draining";
  url: string;
  settingsPath: string;
  dataDir: string;
  lastRestart: LastRestart | null;
}

/** The dashboard's files as they are sent. */
export interface PageFiles {
  html: string;
  script: string;
  style: string;
  icon: string;
}

/** What the routes need; the daemon hands it in. */
export interface Services {
  clock: Clock;
  ids: Ids;
  store: Store;
  /** What takes turns; another one after a restart, so it is asked for at each request. */
  core: () => { registry: SessionRegistry; bindings: Bindings; gate: Gate; guard: Guard };
  streams: EventStreams;
  ends: MessageEnds;
  metrics: Metrics;
  activity: Activity;
  daemon: () => DaemonInfo;
  /** The dashboard; loaded when it is asked for. */
  page: () => Promise<PageFiles>;
  settings: {
    inForce: () => InForce;
    problems: () => readonly Problem[];
    watching: () => "native" | "polling";
    /** The settings file as it stands now, secrets masked. */
    shownFile: () => Promise<ShownFile>;
    /** Changed keys that take a restart of the daemon. */
    notInForce: () => { key: string; reason: string }[];
    /** Reads the file now; resolves when it is in force or judged to be bad. */
    look: () => Promise<void>;
    /** What applying the edit that waits would change; null where none waits. */
    waiting: () => Plan | null;
    /** Puts the edit that waits in force. */
    apply: () => Promise<void>;
    /** Edits the file and puts it in force. */
    edit: (edit: Edit, options: EditOptions) => Promise<EditAnswer>;
  };
  /** Begins to stop; returns at once. */
  stop: () => void;
  /** Begins to restart, for an upgrade by the program on disk; returns at once. */
  restart: (cause: "request" | "upgrade") => void;
  /** A fault that is a bug; it is logged once, there. */
  onFault: (thrown: unknown) => void;
}
