import type { Database } from "../../platform/platform.ts";
import type { ToldEvent } from "./events.ts";
import type { RetryRequest, RetryResult } from "../inbox.ts";
import type { Accept } from "./accept.ts";
import { integer, text } from "./row.ts";

/** Sends failed messages again inside the present transaction (see `Store.messages.retry`). */
export function createRetry(
  database: Database,
  accept: Accept,
): (request: RetryRequest, told: ToldEvent[]) => RetryResult {
  const one = database.prepare(
    "SELECT id, content, is_summary FROM messages WHERE session = ? AND id = ? AND status = 'failed'",
  );
  const all = database.prepare(
    `SELECT id, content, is_summary FROM messages WHERE session = ? AND status = 'failed'
       AND id NOT IN (SELECT retry_of FROM messages WHERE session = ? AND retry_of IS NOT NULL)
     ORDER BY seq`,
  );
  return ({ session, message, newId, maxPending, at }, told) => {
    const failed = message === null ? all.all(session, session) : one.all(session, message);
    if (failed.length === 0) return { kind: "nothing" };
    const messages = failed.map((row) => ({
      id: newId(),
      content: text(row, "content"),
      retryOf: text(row, "id"),
      isSummary: integer(row, "is_summary") === 1,
    }));
    return accept({ session, messages, idempotency: null, maxPending, at }, told);
  };
}
