import * as v from "valibot";
import { failureKinds, type MessageError, type Usage } from "../../core/events.ts";
import type { SqlRow } from "../../platform/platform.ts";
import type { MessageRecord } from "../message.ts";
import { integer, integerOrNull, oneOf, text, textOrNull } from "./row.ts";

const statuses = ["pending", "running", "done", "failed", "cancelled"] as const;

const errorSchema = v.object({
  kind: v.picklist(failureKinds),
  message: v.string(),
  status: v.exactOptional(v.number()),
}) satisfies v.GenericSchema<unknown, MessageError>;

/** A row of the table `messages` as a record. */
export function messageRecord(row: SqlRow): MessageRecord {
  const error = textOrNull(row, "error");
  return {
    id: text(row, "id"),
    session: text(row, "session"),
    seq: integer(row, "seq"),
    content: text(row, "content"),
    status: oneOf(row, "status", statuses),
    attempts: integer(row, "attempts"),
    reply: textOrNull(row, "reply"),
    finish: textOrNull(row, "finish"),
    error: error === null ? null : v.parse(errorSchema, JSON.parse(error)),
    provider: textOrNull(row, "provider"),
    model: textOrNull(row, "model"),
    revision: integerOrNull(row, "revision"),
    fallbackFrom: textOrNull(row, "fallback_from"),
    usage: usageOf(row),
    repliedBy: textOrNull(row, "replied_by"),
    retryOf: textOrNull(row, "retry_of"),
    epoch: integerOrNull(row, "epoch"),
    createdAt: integer(row, "created_at"),
    startedAt: integerOrNull(row, "started_at"),
    finishedAt: integerOrNull(row, "finished_at"),
    retryAt: integerOrNull(row, "retry_at"),
    overflowed: integer(row, "is_overflowed") === 1,
  };
}

function usageOf(row: SqlRow): Usage | null {
  const inputTokens = integerOrNull(row, "input_tokens");
  const outputTokens = integerOrNull(row, "output_tokens");
  if (inputTokens === null || outputTokens === null) return null;
  const usage = { inputTokens, outputTokens };
  return integer(row, "is_estimated") === 1 ? { ...usage, estimated: true } : usage;
}
