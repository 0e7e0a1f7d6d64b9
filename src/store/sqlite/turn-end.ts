import { isoTime } from "../../core/clock.ts";
import type { NewEvent, Usage } from "../../core/events.ts";
import type { Database, SqlRow } from "../../platform/platform.ts";
import type { SessionRecord } from "../sessions.ts";
import type { FinishRequest, Lease, PutBackRequest, TurnResult } from "../turns.ts";
import { tell, type ToldEvent } from "./events.ts";
import { createDeliverNote } from "./notes.ts";
import { integer, text } from "./row.ts";
import type { SessionWrites } from "./session-writes.ts";

/** The ends of a turn, each inside the present transaction (see `Store.messages`). */
export interface TurnEnds {
  finish(request: FinishRequest, told: ToldEvent[]): SessionRecord | undefined;
  putBack(request: PutBackRequest, told: ToldEvent[]): SessionRecord | undefined;
  release(lease: Lease, at: number, told: ToldEvent[]): number;
  takeBack(boot: string, at: number, told: ToldEvent[]): number;
}

type Parts = { database: Database; sessions: SessionWrites };

/** The row a lease holds: every end of a turn is fenced by this condition. */
const held = "status = 'running' AND lease_boot = ? AND lease_generator = ?";
/** What a message looks like when nobody holds it. */
const free = "lease_boot = NULL, lease_generator = NULL";
/** How messages go back that nobody has anything against. */
const unchanged = {
  isCounted: false,
  error: null,
  retryAt: null,
  announcedAt: null,
  rollover: null,
  isAlone: false,
} as const;

/** The ends of turns of one database. */
export function createTurnEnds(parts: Parts): TurnEnds {
  const { database } = parts;
  const putBack = createPutBack(parts);
  const finish = createFinish(parts, putBack);
  const ofLease = database.prepare(`SELECT id FROM messages WHERE ${held} ORDER BY seq`);
  const ofOthers = database.prepare(
    "SELECT id, lease_boot, lease_generator FROM messages WHERE status = 'running' AND lease_boot <> ? ORDER BY n",
  );
  return {
    putBack,
    finish,
    takeBack: (boot, at, told) => {
      const rows = ofOthers.all(boot);
      for (const row of rows) {
        const lease = { boot: text(row, "lease_boot"), generator: text(row, "lease_generator") };
        putBack({ ...unchanged, messages: [text(row, "id")], lease, reason: "drain", at }, told);
      }
      return rows.length;
    },
    release: (lease, at, told) => {
      const messages = ofLease.all(lease.boot, lease.generator).map((row) => text(row, "id"));
      if (messages.length > 0) putBack({ ...unchanged, messages, lease, reason: "restart", at }, told);
      return messages.length;
    },
  };
}

function createFinish(parts: Parts, putBack: TurnEnds["putBack"]): TurnEnds["finish"] {
  const { database, sessions } = parts;
  const ofLease = database.prepare(`SELECT n, id, session, seq FROM messages WHERE id = ? AND ${held}`);
  const finish = database.prepare(
    `UPDATE messages SET status = ?, reply = ?, finish = ?, error = ?, replied_by = ?, input_tokens = ?,
       output_tokens = ?, is_estimated = ?, finished_at = ?, epoch = ?, ${free} WHERE n = ?`,
  );
  const count = createCount(database);
  const deliverNote = createDeliverNote(database);

  return (request, told) => {
    const { messages, lease, result, at } = request;
    const rows = messages.flatMap((id): SqlRow[] => {
      const row = ofLease.get(id, lease.boot, lease.generator);
      return row ? [row] : [];
    });
    const [first] = rows;
    if (!first) return undefined;
    if (rows.length < messages.length) {
      const kept = rows.map((row) => text(row, "id"));
      putBack({ ...unchanged, messages: kept, lease, reason: "retry", isAlone: true, at }, told);
      return undefined;
    }
    const id = text(first, "session");
    const session =
      result.kind === "failed"
        ? sessions.failed(id, at)
        : sessions.done(id, result.usage, request.identity, at);
    const last = messages.at(-1) ?? "";
    for (const row of rows) {
      finish.run(...ending(result, text(row, "id"), last), at, session.epoch, integer(row, "n"));
      tell(endOf(row, result, last), at, told);
    }
    if (result.kind === "done") {
      count(result.usage, at);
      deliverNote(id, text(first, "id"));
    }
    return rollOver(parts, session, request, told);
  };
}

/** What is told of a message that ended with its turn. */
function endOf(row: SqlRow, result: TurnResult, last: string): NewEvent {
  const data = ofMessage(row);
  if (result.kind === "failed") return { type: "message.failed", data: { ...data, error: result.error } };
  return { type: "message.done", data: { ...data, usage: data.message === last ? result.usage : null } };
}

/** The columns of a message that ended: of a batch the last has the reply, the others say which. */
function ending(result: TurnResult, id: string, last: string) {
  if (result.kind === "failed")
    return ["failed", null, null, JSON.stringify(result.error), null, null, null, 0] as const;
  if (id !== last) return ["done", null, result.finish, null, last, null, null, 0] as const;
  const { inputTokens, outputTokens, estimated } = result.usage;
  const isEstimated = estimated === true ? 1 : 0;
  return ["done", result.reply, result.finish, null, null, inputTokens, outputTokens, isEstimated] as const;
}

function createPutBack(parts: Parts): TurnEnds["putBack"] {
  const { database, sessions } = parts;
  const putBack = database.prepare(
    `UPDATE messages SET status = 'pending', attempts = attempts - ?, error = coalesce(?, error), retry_at = ?,
       is_overflowed = max(is_overflowed, ?), is_alone = max(is_alone, ?), started_at = NULL, ${free}
     WHERE id = ? AND ${held} RETURNING *`,
  );
  return (request, told) => {
    const { lease, at, error, retryAt, announcedAt, reason } = request;
    const rows = request.messages.flatMap((id): SqlRow[] => {
      const row = putBack.get(
        request.isCounted ? 0 : 1,
        error && JSON.stringify(error),
        retryAt,
        request.rollover ? 1 : 0,
        request.isAlone ? 1 : 0,
        id,
        lease.boot,
        lease.generator,
      );
      return row ? [row] : [];
    });
    const [first] = rows;
    if (!first) return undefined;
    const why = {
      reason,
      ...(error && { error }),
      ...(announcedAt !== null && { retryAt: isoTime(announcedAt) }),
    };
    for (const row of rows) tell({ type: "message.requeued", data: { ...ofMessage(row), ...why } }, at, told);
    return rollOver(
      parts,
      sessions.putBack(text(first, "session"), rows.length, integer(first, "seq"), at),
      request,
      told,
    );
  };
}

function rollOver(
  { sessions }: Parts,
  session: SessionRecord,
  { rollover, at }: { rollover: { contextFrom: number } | null; at: number },
  told: ToldEvent[],
): SessionRecord {
  if (!rollover) return session;
  const next = sessions.rolledOver(session.id, rollover.contextFrom);
  tell({ type: "session.rolled_over", data: { session: next.id, epoch: next.epoch } }, at, told);
  return next;
}

/** What every message event names. */
export function ofMessage(row: SqlRow): { session: string; message: string; seq: number } {
  return { session: text(row, "session"), message: text(row, "id"), seq: integer(row, "seq") };
}

/** The UTC day of a time, counted from the Unix epoch. */
export function dayOf(at: number): number {
  return Math.floor(at / 86_400_000);
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
