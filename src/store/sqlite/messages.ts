import { SegueError } from "../../core/errors.ts";
import type { Database, SqlValue } from "../../platform/platform.ts";
import type { MessageRecord, MessageStatus } from "../message.ts";
import type { MessageStore } from "../messages.ts";
import type { Page, PageRequest } from "../page.ts";
import type { Accept } from "./accept.ts";
import { runsApart } from "./apart.ts";
import type { Claim } from "./claim.ts";
import { createContext } from "./context.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { tell, type ToldEvent } from "./events.ts";
import type { GroupCommit } from "./group-commit.ts";
import { fromHead } from "./head.ts";
import { messageRecord } from "./message-record.ts";
import { textGiven } from "./parameter.ts";
import { createRecover } from "./recover.ts";
import { createRetry } from "./retry.ts";
import { integer, integerOrNull, text } from "./row.ts";
import { type TurnEnds, ofMessage } from "./turn-end.ts";

/** Whatever is asked for, a page takes no more memory than this, or one message. */
const mostBytesPerPage = 8 * 1024 * 1024;

/** The messages of one database (see `Store.messages`). */
export function createMessages(parts: {
  database: Database;
  commit: GroupCommit;
  accept: Accept;
  claim: Claim;
  ends: TurnEnds;
}): MessageStore {
  const { database, commit, accept, claim, ends } = parts;
  const byId = database.prepare("SELECT * FROM messages WHERE id = ?");
  const head = database.prepare(
    `SELECT id, seq, attempts, retry_at, crashes FROM messages
     WHERE session = ${textGiven("?1")} AND ${fromHead("?1")} AND status = 'pending' ORDER BY seq LIMIT 1`,
  );
  const context = createContext(database);
  const resetAttempts = database.prepare(
    `UPDATE messages SET attempts = 0, retry_at = NULL
     WHERE session = ?1 AND ${fromHead("?1")} AND status = 'pending'
       AND (attempts > 0 OR retry_at IS NOT NULL)`,
  );
  const cancel = createCancel(database);
  const recover = createRecover(database);
  const retry = createRetry(database, accept);
  const get = (id: string): MessageRecord | undefined => {
    const row = byId.get(id);
    return row && messageRecord(row);
  };
  return {
    accept: (request) => commit.write((told) => accept(request, told)),
    retry: (request) => commit.write((told) => retry(request, told)),
    get: async (id) => get(id),
    list: async (filter, page) => listMessages(database, filter, page),
    head: async (session) => {
      const row = head.get(session);
      return (
        row && {
          id: text(row, "id"),
          seq: integer(row, "seq"),
          attempts: integer(row, "attempts"),
          retryAt: integerOrNull(row, "retry_at"),
          crashes: integer(row, "crashes"),
        }
      );
    },
    claim: (request) => commit.write((told) => claim(request, told)),
    finish: (request) => commit.write((told) => ends.finish(request, told)),
    putBack: (request) => commit.write((told) => ends.putBack(request, told)),
    release: (lease, at) => commit.write((told) => ends.release(lease, at, told)),
    takeBack: (boot, at) => commit.write((told) => ends.takeBack(boot, at, told)),
    cancel: (id, at) =>
      commit.write((told) => {
        const isCancelled = cancel(id, at, told);
        const message = get(id);
        return message && { isCancelled, message };
      }),
    resetAttempts: (session) => commit.write(() => void resetAttempts.run(session)),
    context: async (session, from, before) => context(session, from, before),
    recover: (boot, maxAttempts, at) => commit.write((told) => recover(boot, maxAttempts, at, told)),
  };
}

/** Ends a message that has not ended, as `cancelled`; whether it did. */
function createCancel(database: Database): (id: string, at: number, told: ToldEvent[]) => boolean {
  const before = database.prepare("SELECT n, id, session, seq, status FROM messages WHERE id = ?");
  const cancel = database.prepare(
    `UPDATE messages SET status = 'cancelled', finished_at = ?, retry_at = NULL, lease_boot = NULL,
       lease_generator = NULL WHERE n = ?`,
  );
  // 1. Where an inbox is emptied from its front, message by message, none of them is passed over again.
  const uncount = database.prepare(
    "UPDATE sessions SET pending = pending - 1, head_seq = head_seq + (head_seq = ?) WHERE id = ?",
  );
  // 2. A session has one turn at a time: what else of it is running was taken together with this one.
  const takeApart = database.prepare(
    `UPDATE messages INDEXED BY messages_running SET is_alone = ${runsApart}
     WHERE status = 'running' AND session = ?`,
  );
  return (id, at, told) => {
    const row = before.get(id);
    const status = row && text(row, "status");
    if (!row || (status !== "pending" && status !== "running")) return false;
    cancel.run(at, integer(row, "n"));
    if (status === "pending") uncount.run(integer(row, "seq"), text(row, "session"));
    else takeApart.run(text(row, "session"));
    tell({ type: "message.cancelled", data: ofMessage(row) }, at, told);
    return true;
  };
}

function listMessages(
  database: Database,
  filter: { session?: string; status?: MessageStatus; after?: number },
  page: PageRequest,
): Page<MessageRecord> {
  if (filter.after !== undefined && filter.session === undefined)
    throw new SegueError("malformed", "`after` counts within one session");
  const column = filter.session === undefined ? "n" : "seq";
  const conditions = [`${column} > ?`];
  const values: SqlValue[] = [page.cursor === null ? 0 : decodeCursor(page.cursor)];
  const where = (condition: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  where("session = ?", filter.session);
  // One of a few words of ours, and written out: a partial index is not found for a parameter.
  if (filter.status !== undefined) conditions.push(`status = '${filter.status}'`);
  if (filter.status === "pending") where(fromHead("?"), filter.session);
  where("seq > ?", filter.after);
  const matching = `FROM messages WHERE ${conditions.join(" AND ")} ORDER BY ${column}`;
  const sizes = database
    .prepare(`SELECT octet_length(content) + coalesce(octet_length(reply), 0) AS bytes ${matching} LIMIT ?`)
    .all(...values, page.limit + 1)
    .map((row) => integer(row, "bytes"));
  const count = countWithin(sizes.slice(0, page.limit), mostBytesPerPage);
  const items = database.prepare(`SELECT * ${matching} LIMIT ?`).all(...values, count);
  const last = items.at(-1);
  return {
    items: items.map(messageRecord),
    next: sizes.length > count && last ? encodeCursor(integer(last, column)) : null,
  };
}

/** How many of the first are together no larger than `most`; one always is. */
function countWithin(sizes: readonly number[], most: number): number {
  let sum = 0;
  for (const [index, size] of sizes.entries()) {
    sum += size;
    if (sum > most && index > 0) return index;
  }
  return sizes.length;
}
