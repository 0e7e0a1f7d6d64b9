import * as v from "valibot";

/*
 * The parts of the daemon's answers (contract section 5) that commands read. Fields they do not read are not
 * named here, so that a daemon of another version still speaks to this program.
 */

/** One thing that is wrong in an input. */
export const problemAnswer = v.object({
  path: v.string(),
  message: v.string(),
  line: v.exactOptional(v.number()),
  column: v.exactOptional(v.number()),
});

const usage = v.object({ inputTokens: v.number(), outputTokens: v.number() });

/** A message. */
export const messageAnswer = v.object({
  id: v.string(),
  session: v.string(),
  seq: v.number(),
  content: v.string(),
  status: v.picklist(["pending", "running", "done", "failed", "cancelled"]),
  attempts: v.number(),
  reply: v.nullable(v.string()),
  repliedBy: v.nullable(v.string()),
  error: v.nullable(v.object({ kind: v.string(), message: v.string() })),
  provider: v.nullable(v.string()),
  model: v.nullable(v.string()),
  revision: v.nullable(v.number()),
  usage: v.nullable(usage),
  startedAt: v.nullable(v.string()),
  finishedAt: v.nullable(v.string()),
});
/** A message as the daemon shows it. */
export type MessageAnswer = v.InferOutput<typeof messageAnswer>;

const pendingRestart = v.object({ reason: v.string(), blockedBy: v.nullable(v.string()) });

/** A session. */
export const sessionAnswer = v.object({
  id: v.string(),
  title: v.nullable(v.string()),
  state: v.string(),
  waitingFor: v.nullable(v.string()),
  waitingUntil: v.nullable(v.string()),
  provider: v.nullable(v.string()),
  model: v.nullable(v.string()),
  bindingRevision: v.nullable(v.number()),
  generatorId: v.nullable(v.string()),
  pending: v.number(),
  pendingRestart: v.nullable(pendingRestart),
  turns: v.number(),
  epoch: v.number(),
  createdAt: v.string(),
  lastActivityAt: v.string(),
});
/** A session as the daemon shows it. */
export type SessionAnswer = v.InferOutput<typeof sessionAnswer>;

/** A page of a list. */
export function pageAnswer<T>(item: v.GenericSchema<unknown, T>) {
  return v.object({ items: v.array(item), next: v.nullable(v.string()) });
}

/** `GET /api/daemon`. */
export const daemonAnswer = v.object({
  instanceId: v.string(),
  pid: v.number(),
  version: v.string(),
  startedAt: v.string(),
  phase: v.string(),
  url: v.nullable(v.string()),
  settingsPath: v.string(),
  dataDir: v.string(),
});
/** The daemon as it shows itself. */
export type DaemonAnswer = v.InferOutput<typeof daemonAnswer>;

const keys = v.array(v.string());
const planAnswer = v.object({
  changedKeys: keys,
  live: keys,
  turn: keys,
  restart: keys,
  masked: keys,
  /** Missing where no daemon was asked. */
  sessions: v.optional(v.object({ now: v.number(), atBoundary: v.number(), unaffected: v.number() })),
});
/** What a change of settings does. */
export type PlanAnswer = v.InferOutput<typeof planAnswer>;

/** The answer to an edit of the settings. */
export const editAnswer = v.object({ revision: v.number(), plan: planAnswer, kept: v.optional(keys) });

/** A revision of `GET /api/settings/history`. */
export const revisionAnswer = v.object({
  revision: v.number(),
  at: v.string(),
  source: v.string(),
  changedKeys: keys,
});
/** A revision as the daemon lists it. */
export type RevisionAnswer = v.InferOutput<typeof revisionAnswer>;

/** `GET /api/settings`, all that is shown. */
export const shownSettings = v.object({ settings: v.record(v.string(), v.unknown()) });

/** `GET /api/settings/status`. */
export const settingsStatusAnswer = v.object({
  path: v.string(),
  revision: v.number(),
  appliedAt: v.nullable(v.string()),
  watching: v.string(),
  problems: v.array(problemAnswer),
  mode: v.optional(v.string()),
  ignored: v.optional(keys),
  waiting: v.nullable(planAnswer),
  notInForce: v.array(v.object({ key: v.string(), reason: v.string() })),
  pendingRestarts: v.array(
    v.object({ session: v.string(), reason: v.string(), blockedBy: v.nullable(v.string()) }),
  ),
  held: v.array(
    v.object({
      provider: v.string(),
      model: v.string(),
      reason: v.string(),
      since: v.string(),
      sessions: v.number(),
    }),
  ),
  rollout: v.nullable(
    v.object({ revision: v.number(), total: v.number(), done: v.number(), state: v.string() }),
  ),
});
/** The answer of `GET /api/settings/status`. */
export type SettingsStatusAnswer = v.InferOutput<typeof settingsStatusAnswer>;

/** `GET /api/stats`. */
export const statsAnswer = v.object({
  activeSessions: v.number(),
  busySessions: v.number(),
  pendingMessages: v.number(),
  oldestPendingMs: v.nullable(v.number()),
  turns: v.number(),
  tokensToday: v.number(),
  providers: v.record(
    v.string(),
    v.object({
      state: v.string(),
      inFlight: v.number(),
      parks: v.array(
        v.object({
          endpoint: v.string(),
          model: v.nullable(v.string()),
          reason: v.string(),
          until: v.nullable(v.string()),
          sessions: v.number(),
        }),
      ),
    }),
  ),
  uptimeMs: v.number(),
  rssBytes: v.number(),
});
/** The answer of `GET /api/stats`. */
export type StatsAnswer = v.InferOutput<typeof statsAnswer>;

/** `GET /api/settings`, as far as commands read it. */
export const settingsAnswer = v.object({
  revision: v.number(),
  settings: v.object({
    provider: v.string(),
    daemon: v.object({ graceMs: v.number() }),
    providers: v.record(v.string(), v.object({ kind: v.string(), model: v.string() })),
  }),
});
/** The answer of `GET /api/settings`. */
export type SettingsAnswer = v.InferOutput<typeof settingsAnswer>;

/** An answer of which nothing is read. */
export const anyAnswer = v.unknown();
