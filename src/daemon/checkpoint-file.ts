import * as v from "valibot";
import { SegueError } from "../core/errors.ts";
import { failureKinds } from "../core/events.ts";
import type { RestoredMessage, RestoredSession } from "../store/checkpoints.ts";

const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/));
const textOrNull = v.nullable(v.string());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.transform((text) => Date.parse(text)),
);

const messageSchema = v.object({
  id,
  seq: v.pipe(count, v.minValue(1)),
  content: v.string(),
  attempts: count,
  reply: textOrNull,
  finish: textOrNull,
  error: v.nullable(
    v.object({
      kind: v.picklist(failureKinds),
      message: v.string(),
      status: v.exactOptional(v.number()),
    }),
  ),
  provider: textOrNull,
  model: textOrNull,
  revision: v.nullable(count),
  fallbackFrom: textOrNull,
  usage: v.nullable(
    v.object({ inputTokens: count, outputTokens: count, estimated: v.exactOptional(v.literal(true)) }),
  ),
  repliedBy: textOrNull,
  retryOf: textOrNull,
  createdAt: time,
  startedAt: v.nullable(time),
  finishedAt: v.nullable(time),
  isSummary: v.optional(v.boolean(), false),
});
const doneSchema = v.object({ ...messageSchema.entries, status: v.literal("done") });
const openSchema = v.object({ ...messageSchema.entries, status: v.picklist(["pending", "running"]) });

const checkpointSchema = v.object({
  version: v.literal(1),
  sessions: v.array(
    v.object({
      id,
      title: textOrNull,
      system: textOrNull,
      labels: v.record(v.string(), v.string()),
      overrides: v.object({
        provider: textOrNull,
        model: textOrNull,
        mode: v.nullable(v.picklist(["single", "batch"])),
      }),
      turns: count,
      lastInputTokens: v.nullable(count),
      epoch: v.pipe(count, v.minValue(1)),
      createdAt: time,
      lastActivityAt: time,
      context: v.array(doneSchema),
      notes: v.array(v.object({ text: v.string(), at: time, message: textOrNull })),
      queue: v.array(openSchema),
    }),
  ),
});

/**
 * The sessions of a checkpoint; messages that were in flight are pending, and that attempt is not counted. Throws
 * `malformed` for a text that is none, and `invalid`, naming places and not what stands there, for one that is damaged.
 */
export function parseCheckpoint(text: string): RestoredSession[] {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    throw new SegueError("malformed", "this file is no checkpoint: it is not JSON, or was cut", {
      hint: "take another with `segue checkpoint --out FILE`",
    });
  }
  const result = v.safeParse(checkpointSchema, input);
  if (!result.success)
    throw new SegueError("invalid", "this file is no checkpoint that this version can restore", {
      problems: result.issues.map((issue) => ({
        path: v.getDotPath(issue) ?? "",
        message: `has to be ${issue.expected ?? "something else"}`,
      })),
    });
  const sessions = result.output.sessions.map((session) => ({
    ...session,
    queue: session.queue.map(pendingAgain),
  }));
  requireDistinct(sessions);
  return sessions;
}

function pendingAgain(message: v.InferOutput<typeof openSchema>): RestoredMessage {
  const attempts = message.status === "running" ? Math.max(0, message.attempts - 1) : message.attempts;
  return { ...message, attempts, status: "pending", startedAt: null };
}

function requireDistinct(sessions: readonly RestoredSession[]): void {
  const messages = sessions.flatMap(({ context, queue }) => [...context, ...queue]);
  const ids = [
    ...sessions.map((session) => `session ${session.id}`),
    ...messages.map(({ id }) => `message ${id}`),
  ];
  const seqs = sessions.flatMap(({ id, context, queue }) =>
    [...context, ...queue].map(({ seq }) => `seq ${seq} of session ${id}`),
  );
  const seen = new Set<string>();
  for (const name of [...ids, ...seqs]) {
    if (seen.has(name)) throw new SegueError("invalid", `this file is no checkpoint: it has ${name} twice`);
    seen.add(name);
  }
}
