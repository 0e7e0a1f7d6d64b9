import type { NewEvent, StoredEvent, Usage } from "../../core/events.ts";
import { isoTime } from "../../core/clock.ts";
import type { Database, SqlRow, SqlValue } from "../../platform/platform.ts";
import type {
  ClaimRequest,
  ClaimResult,
  FinishRequest,
  Lease,
  PutBackRequest,
  SessionRecord,
} from "../store.ts";
import type { Tell } from "./events.ts";
import { messageRecord } from "./message-record.ts";
import { integer, text } from "./row.ts";
import { sessionRecord } from "./sessions.ts";

/** The two ends of a turn, each inside the present transaction (see `Store.messages`). */
export interface Turns {
  claim(request: ClaimRequest, stored: StoredEvent[]): ClaimResult;
  finish(request: FinishRequest, stored: StoredEvent[]): SessionRecord | undefined;
  putBack(request: PutBackRequest, stored: StoredEvent[]): SessionRecord | undefined;
  release(lease: Lease, at: number, stored: StoredEvent[]): number;
}

/** The row a lease holds: every end of a turn is fenced by this condition. */
const held = "id = ? AND status = 'running' AND lease_boot = ? AND lease_generator = ?";
/** What a message looks like when nobody holds it. */
const free = "lease_boot = NULL, lease_generator = NULL";

/** The turns of one database. */
export function createTurns(database: Database, tell: Tell): Turns {
  const sessions = createSessionWrites(database);
  const end = createEnd(database, tell, sessions);
  return {
    claim: createClaim(database, tell, sessions),
    ...end,
    release: (lease, at, stored) => {
      const rows = database
        .prepare("SELECT id FROM messages WHERE status = 'running' AND lease_boot = ? AND lease_generator = ?")
        .all(lease.boot, lease.generator);
      const reason = { reason: "restart", isCounted: false, error: null, retryAt: null, announcedAt: null, rollover: null } as const;
      for (const row of rows) end.putBack({ message: text(row, "id"), lease, ...reason, at }, stored);
      return rows.length;
    },
  };
}

function createClaim(database: Database, tell: Tell, sessions: SessionWrites): Turns["claim"] {
  const newestRevision = database.prepare("SELECT coalesce(max(revision), 0) AS revision FROM revisions");
  const claim = database.prepare(
    `UPDATE messages SET status = 'running', attempts = attempts + 1, started_at = ?, retry_at = NULL,
       provider = ?, model = ?, revision = ?, fallback_from = ?, lease_boot = ?, lease_generator = ?
     WHERE n = (SELECT n FROM messages INDEXED BY messages_pending
                WHERE session = ? AND status = 'pending' ORDER BY seq LIMIT 1)
     RETURNING *`,
  );
  return (request, stored) => {
    // A newer revision may stand in this very transaction, before its promise resolves: freshness is decided here.
    const newest = newestRevision.get();
    if (newest && integer(newest, "revision") > request.revision) return { kind: "stale" };
    const { session, lease, provider, model, revision, fallbackFrom, at } = request;
    const row = claim.get(at, provider, model, revision, fallbackFrom, lease.boot, lease.generator, session);
    if (!row) return { kind: "nothing" };
    const message = messageRecord(row);
    const data = { session, message: message.id, seq: message.seq };
    const started = { ...data, attempt: message.attempts, provider, model, revision };
    for (const event of request.events) tell(event, at, stored);
    tell({ type: "message.started", data: started }, at, stored);
    return { kind: "claimed", message, session: sessions.claimed(session, at) };
  };
}

function createEnd(
  database: Database,
  tell: Tell,
  sessions: SessionWrites,
): Pick<Turns, "finish" | "putBack"> {
  const finish = database.prepare(
    `UPDATE messages SET status = ?, reply = ?, finish = ?, error = ?, input_tokens = ?, output_tokens = ?,
       is_estimated = ?, finished_at = ?, epoch = (SELECT epoch FROM sessions WHERE id = messages.session),
       ${free} WHERE ${held} RETURNING *`,
  );
  const putBack = database.prepare(
    `UPDATE messages SET status = 'pending', attempts = attempts - ?, error = coalesce(?, error), retry_at = ?,
       is_overflowed = max(is_overflowed, ?), started_at = NULL, ${free} WHERE ${held} RETURNING *`,
  );
  const count = createCount(database);
  return {
    finish: (request, stored) => {
      const { result, lease, at } = request;
      const isDone = result.kind === "done";
      const usage = isDone ? result.usage : null;
      const row = finish.get(
        ...(isDone ? ["done", result.reply, result.finish, null] : ["failed", null, null, JSON.stringify(result.error)]),
        usage?.inputTokens ?? null,
        usage?.outputTokens ?? null,
        usage?.estimated === true ? 1 : 0,
        at,
        request.message,
        lease.boot,
        lease.generator,
      );
      if (!row) return undefined;
      if (usage) count(usage, at);
      tell(endEvent(row, request), at, stored);
      const session = sessions.ended(text(row, "session"), usage, at);
      return rollOver(session, request.rollover, at, stored);
    },
    putBack: (request, stored) => {
      const { lease, at, error, retryAt, announcedAt } = request;
      const row = putBack.get(
        request.isCounted ? 0 : 1,
        error && JSON.stringify(error),
        retryAt,
        request.rollover ? 1 : 0,
        request.message,
        lease.boot,
        lease.generator,
      );
      if (!row) return undefined;
      tell(
        {
          type: "message.requeued",
          data: {
            ...ofMessage(row),
            reason: request.reason,
            ...(error && { error }),
            ...(announcedAt !== null && { retryAt: isoTime(announcedAt) }),
          },
        },
        at,
        stored,
      );
      const session = sessions.putBack(text(row, "session"), at);
      return rollOver(session, request.rollover, at, stored);
    },
  };

  function rollOver(
    session: SessionRecord,
    rollover: { contextFrom: number } | null,
    at: number,
    stored: StoredEvent[],
  ): SessionRecord {
    if (!rollover) return session;
    const next = sessions.rolledOver(session.id, rollover.contextFrom);
    tell({ type: "session.rolled_over", data: { session: next.id, epoch: next.epoch } }, at, stored);
    return next;
  }
}

function endEvent(row: SqlRow, { result }: FinishRequest): NewEvent {
  return result.kind === "done"
    ? { type: "message.done", data: { ...ofMessage(row), usage: result.usage } }
    : { type: "message.failed", data: { ...ofMessage(row), error: result.error } };
}

/** What every message event names. */
export function ofMessage(row: SqlRow): { session: string; message: string; seq: number } {
  return { session: text(row, "session"), message: text(row, "id"), seq: integer(row, "seq") };
}

/** Books a turn and its tokens on its UTC day. */
function createCount(database: Database): (usage: Usage, at: number) => void {
  const count = database.prepare(
    `INSERT INTO days (day, turns, input_tokens, output_tokens, last_turn_at) VALUES (?, 1, ?, ?, ?)
     ON CONFLICT (day) DO UPDATE SET turns = turns + 1, input_tokens = input_tokens + excluded.input_tokens,
       output_tokens = output_tokens + excluded.output_tokens, last_turn_at = max(last_turn_at, excluded.last_turn_at)`,
  );
  return (usage, at) => void count.run(dayOf(at), usage.inputTokens, usage.outputTokens, at);
}

/** The UTC day of a time, counted from the Unix epoch. */
export function dayOf(at: number): number {
  return Math.floor(at / 86_400_000);
}

interface SessionWrites {
  claimed(id: string, at: number): SessionRecord;
  /** `usage` null: it failed, and read nothing that is known. */
  ended(id: string, usage: Usage | null, at: number): SessionRecord;
  putBack(id: string, at: number): SessionRecord;
  rolledOver(id: string, contextFrom: number): SessionRecord;
}

/** What a turn changes in its session. */
function createSessionWrites(database: Database): SessionWrites {
  const update = (set: string): ((id: string, ...values: SqlValue[]) => SessionRecord) => {
    const statement = database.prepare(`UPDATE sessions SET ${set} WHERE id = ? RETURNING *`);
    return (id, ...values) => {
      const row = statement.get(...values, id);
      if (!row) throw new Error(`session ${id} is gone, its message is not`);
      return sessionRecord(row);
    };
  };
  const active = "last_activity_at = max(last_activity_at, ?)";
  const claimed = update(`pending = pending - 1, ${active}`);
  const ended = update(
    `turns = turns + ?, last_input_tokens = coalesce(?, last_input_tokens), ${active}`,
  );
  const putBack = update(`pending = pending + 1, ${active}`);
  const rolledOver = update("epoch = epoch + 1, last_input_tokens = NULL, context_from = ?");
  return {
    claimed: (id, at) => claimed(id, at),
    ended: (id, usage, at) => ended(id, usage ? 1 : 0, usage?.inputTokens ?? null, at),
    putBack: (id, at) => putBack(id, at),
    rolledOver: (id, contextFrom) => rolledOver(id, contextFrom),
  };
}
