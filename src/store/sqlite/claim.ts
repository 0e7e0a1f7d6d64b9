import type { Database, SqlRow } from "../../platform/platform.ts";
import type { ClaimRequest, ClaimResult } from "../turns.ts";
import { tell, type ToldEvent } from "./events.ts";
import { messageRecord } from "./message-record.ts";
import { fromHead } from "./head.ts";
import { numberGiven, textGiven } from "./parameter.ts";
import { integer } from "./row.ts";
import type { SessionWrites } from "./session-writes.ts";

/** Gives messages to a lease inside the present transaction (see `Store.messages.claim`). */
export type Claim = (request: ClaimRequest, told: ToldEvent[]) => ClaimResult;

/** The beginning of turns of one database. */
export function createClaim(database: Database, sessions: SessionWrites): Claim {
  const newestRevision = database.prepare("SELECT coalesce(max(revision), 0) AS revision FROM revisions");
  const pending = database.prepare(
    `SELECT n, is_alone, is_summary FROM messages
     WHERE session = ${textGiven("?1")} AND ${fromHead("?1")} AND status = 'pending'
     ORDER BY seq LIMIT ${numberGiven("?2")}`,
  );
  const claim = database.prepare(
    `UPDATE messages SET status = 'running', attempts = attempts + 1, started_at = ?, retry_at = NULL,
       is_alone = min(is_alone, 1),
       provider = ?, model = ?, revision = ?, fallback_from = ?, lease_boot = ?, lease_generator = ?
     WHERE n = ?`,
  );
  const byNumber = database.prepare("SELECT * FROM messages WHERE n = ?");
  return (request, told) => {
    // 1. A newer revision may stand in this very transaction, before its promise resolves: freshness is decided here.
    const newest = newestRevision.get();
    if (newest && integer(newest, "revision") > request.newestRevision) return { kind: "stale" };
    const { session, lease, provider, model, revision, fallbackFrom, at } = request;
    const numbers = batchOf(pending.all(session, request.limit));
    const claimed = numbers.flatMap((n) => {
      claim.run(at, provider, model, revision, fallbackFrom, lease.boot, lease.generator, n);
      const row = byNumber.get(n);
      return row ? [messageRecord(row)] : [];
    });
    const [first, ...others] = claimed;
    if (!first) return { kind: "nothing" };
    for (const event of request.events) tell(event, at, told);
    for (const { id: message, seq, attempts: attempt } of claimed) {
      const data = { session, message, seq, attempt, provider, model, revision };
      tell({ type: "message.started", data }, at, told);
    }
    return {
      kind: "claimed",
      messages: [first, ...others],
      session: sessions.claimed(session, claimed.length, first.seq, at),
    };
  };
}

/**
 * The messages that go into one turn: the first, and those after it up to one that has to be taken alone, or with one
 * that asks for a summary: the reply is to that one.
 */
function batchOf(rows: readonly SqlRow[]): number[] {
  const isAlone = (row: SqlRow | undefined): boolean => row !== undefined && integer(row, "is_alone") > 0;
  const isSummary = (row: SqlRow | undefined): boolean =>
    row !== undefined && integer(row, "is_summary") === 1;
  const end = rows.findIndex(
    (row, index) => index > 0 && (isAlone(row) || isAlone(rows[0]) || isSummary(rows[index - 1])),
  );
  return rows.slice(0, end === -1 ? rows.length : end).map((row) => integer(row, "n"));
}
