import * as v from "valibot";
import { failureKinds, waitReasons } from "../core/events.ts";

/*
 * The shapes of answers (contract section 5), for the OpenAPI document. What represents a record is declared to
 * return them, so that the document and the answers cannot part.
 */

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());
const timeOrNull = v.nullable(time);
const textOrNull = v.nullable(v.string());
const countOrNull = v.nullable(count);
const mode = v.nullable(v.picklist(["single", "batch"]));

/** What is wrong in an input, or in the settings file. */
const problemPlace = v.strictObject({
  path: v.string(),
  message: v.string(),
  line: v.exactOptional(count),
  column: v.exactOptional(count),
});

/** What a refusal says (RFC 9457). */
export const problemShape = v.strictObject({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  code: v.string(),
  errors: v.exactOptional(v.array(problemPlace)),
});

/** A message. */
export const messageShape = v.strictObject({
  id: v.string(),
  session: v.string(),
  seq: count,
  content: v.string(),
  status: v.picklist(["pending", "running", "done", "failed", "cancelled"]),
  attempts: count,
  reply: textOrNull,
  finish: textOrNull,
  error: v.nullable(
    v.strictObject({
      kind: v.picklist(failureKinds),
      message: v.string(),
      status: v.exactOptional(v.number()),
    }),
  ),
  provider: textOrNull,
  model: textOrNull,
  revision: countOrNull,
  fallbackFrom: textOrNull,
  usage: v.nullable(
    v.strictObject({ inputTokens: count, outputTokens: count, estimated: v.exactOptional(v.literal(true)) }),
  ),
  repliedBy: textOrNull,
  retryOf: textOrNull,
  createdAt: time,
  startedAt: timeOrNull,
  finishedAt: timeOrNull,
});
/** A message as it is shown. */
export type ShownMessage = v.InferOutput<typeof messageShape>;

/** Why a session's generator is to be replaced. */
const restartReason = v.picklist([
  "provider_changed",
  "model_changed",
  "endpoint_changed",
  "credentials_changed",
  "options_changed",
  "requested",
]);
const blockedBy = v.picklist(["turn", "step", "settling"]);

/** The states of a session. */
export const sessionStates = ["unloaded", "idle", "busy", "waiting", "restarting"] as const;

/** A session. */
export const sessionShape = v.strictObject({
  id: v.string(),
  title: textOrNull,
  system: textOrNull,
  labels: v.record(v.string(), v.string()),
  state: v.picklist(sessionStates),
  waitingFor: v.nullable(v.picklist(waitReasons)),
  waitingUntil: timeOrNull,
  idleSince: timeOrNull,
  inFlight: count,
  provider: v.string(),
  model: v.string(),
  bindingRevision: countOrNull,
  generatorId: textOrNull,
  pending: count,
  pendingRestart: v.nullable(v.strictObject({ reason: restartReason, requestedAt: time, blockedBy })),
  turns: count,
  lastInputTokens: countOrNull,
  epoch: count,
  overrides: v.strictObject({ provider: textOrNull, model: textOrNull, mode }),
  createdAt: time,
  lastActivityAt: time,
});
/** A session as it is shown. */
export type ShownSession = v.InferOutput<typeof sessionShape>;

/** A page of a list. */
export function pageOf<T extends v.GenericSchema>(item: T) {
  return v.strictObject({ items: v.array(item), next: textOrNull });
}

/** What was said in a session. */
export const transcriptShape = v.strictObject({
  session: v.string(),
  entries: v.array(
    v.strictObject({
      role: v.picklist(["user", "assistant", "system"]),
      content: v.string(),
      at: time,
      message: textOrNull,
      epoch: count,
    }),
  ),
});

/** What an edit of the settings changes. */
export const planShape = v.strictObject({
  changedKeys: v.array(v.string()),
  live: v.array(v.string()),
  turn: v.array(v.string()),
  restart: v.array(v.string()),
  masked: v.array(v.string()),
  sessions: v.strictObject({ now: count, atBoundary: count, unaffected: count }),
});

/** Where the settings stand. */
export const settingsStatusShape = v.strictObject({
  path: v.string(),
  revision: count,
  hash: textOrNull,
  lastModified: timeOrNull,
  appliedAt: time,
  mode: v.picklist(["auto", "manual"]),
  watching: v.picklist(["native", "polling"]),
  problems: v.array(problemPlace),
  ignored: v.exactOptional(v.array(v.string())),
  waiting: v.nullable(planShape),
  notInForce: v.array(v.strictObject({ key: v.string(), reason: v.string() })),
  pendingRestarts: v.array(
    v.strictObject({ session: v.string(), reason: restartReason, waitingSince: time, blockedBy }),
  ),
  rollout: v.nullable(v.strictObject({ revision: count, total: count, done: count, state: v.string() })),
  held: v.array(
    v.strictObject({
      provider: v.string(),
      model: v.string(),
      endpoint: v.string(),
      reason: v.string(),
      since: time,
      sessions: count,
      runningUnder: v.nullable(v.strictObject({ provider: v.string(), model: v.string() })),
    }),
  ),
});

/** An accepted state of the settings. */
export const revisionShape = v.strictObject({
  revision: count,
  at: time,
  source: v.picklist(["start", "file", "reference", "api", "rollback", "signal"]),
  changedKeys: v.array(v.string()),
  settings: textOrNull,
});

/** The settings in force. */
export const settingsShape = v.strictObject({
  revision: count,
  path: v.string(),
  settings: v.record(v.string(), v.unknown()),
  sources: v.record(
    v.string(),
    v.strictObject({
      source: v.picklist(["default", "file", "flag", "legacy"]),
      reference: v.exactOptional(v.picklist(["env", "file"])),
      resolved: v.exactOptional(v.boolean()),
    }),
  ),
});

/** The settings file as it stands. */
export const settingsFileShape = v.strictObject({
  path: v.string(),
  state: v.picklist(["in_force", "waiting", "rejected", "unnoticed", "missing"]),
  hash: textOrNull,
  text: textOrNull,
});

/** Figures of now. */
export const statsShape = v.strictObject({
  activeSessions: count,
  busySessions: count,
  pendingMessages: count,
  oldestPendingMs: countOrNull,
  lastTurnAt: timeOrNull,
  turns: count,
  tokensToday: count,
  providers: v.record(
    v.string(),
    v.strictObject({
      state: v.picklist(["ready", "parked"]),
      inFlight: count,
      parks: v.array(
        v.strictObject({
          endpoint: v.string(),
          model: textOrNull,
          reason: v.string(),
          since: time,
          until: time,
          sessions: count,
        }),
      ),
    }),
  ),
  uptimeMs: count,
  rssBytes: count,
});

/** What happened of late, step by step, oldest first. */
export const activityShape = v.strictObject({
  stepMs: count,
  items: v.array(v.strictObject({ at: time, turns: count, failures: count, pending: count })),
});

/** The daemon itself. */
export const daemonShape = v.strictObject({
  instanceId: v.string(),
  pid: count,
  version: v.string(),
  startedAt: time,
  phase: v.picklist(["starting", "serving", "draining"]),
  url: v.string(),
  settingsPath: v.string(),
  dataDir: v.string(),
  lastRestart: v.nullable(
    v.strictObject({
      at: time,
      reason: v.string(),
      downtimeMs: count,
      sessions: v.array(v.strictObject({ id: v.string(), turns: count, subscribers: count })),
      requeued: count,
      timedOut: count,
    }),
  ),
});

const keptMessage = v.strictObject({ ...messageShape.entries, isSummary: v.exactOptional(v.literal(true)) });

/** A checkpoint (contract section 7). */
export const checkpointShape = v.strictObject({
  version: v.literal(1),
  takenAt: time,
  instanceId: v.string(),
  sessions: v.array(
    v.strictObject({
      ...sessionShape.entries,
      context: v.array(keptMessage),
      notes: v.array(v.strictObject({ text: v.string(), at: time, message: textOrNull })),
      queue: v.array(keptMessage),
    }),
  ),
  active: v.array(
    v.strictObject({ message: v.string(), session: v.string(), startedAt: timeOrNull, subscribers: count }),
  ),
});

/** A summary of a coding agent's work. */
export const memoryShape = v.strictObject({
  session: v.string(),
  project: textOrNull,
  at: time,
  summary: v.string(),
  message: v.string(),
});
