import * as v from "valibot";
import type { Database } from "../../platform/platform.ts";
import type { AcceptRequest, AcceptResult } from "../inbox.ts";
import { tell, type ToldEvent } from "./events.ts";
import { createInsertRows } from "./insert-rows.ts";
import { integer, text } from "./row.ts";
import { type InsertSession, sessionRecord } from "./sessions.ts";

const acceptedSchema = v.array(v.object({ id: v.string(), seq: v.number() }));
type Accepted = v.InferOutput<typeof acceptedSchema>;

const columns = ["id", "session", "seq", "content", "retry_of", "is_summary", "created_at"];

/** Takes messages into an inbox inside the present transaction (see `Store.messages.accept`). */
export type Accept = (request: AcceptRequest, told: ToldEvent[]) => AcceptResult;

/** The inbox of one database. */
export function createAccept(database: Database, insertSession: InsertSession): Accept {
  const byId = database.prepare("SELECT * FROM sessions WHERE id = ?");
  const reserve = database.prepare(
    `UPDATE sessions SET next_seq = next_seq + ?, pending = pending + ?, last_activity_at = max(last_activity_at, ?)
     WHERE n = ?`,
  );
  const insert = createInsertRows(database, "messages", columns);
  const earlier = createEarlier(database);

  return (request, told) => {
    const before = byId.get(request.session);
    const replay = earlier.find(request);
    if (replay) return replay;
    const pending = before ? integer(before, "pending") : 0;
    if (pending + request.messages.length > request.maxPending) return { kind: "full", pending };
    if (!before) {
      insertSession({ ...(request.template ?? follower), id: request.session }, request.at);
      tell({ type: "session.created", data: { session: request.session } }, request.at, told);
    }
    const count = request.messages.length;
    const row = before ?? byId.get(request.session);
    if (!row) throw new Error(`session ${request.session} was not stored`);
    reserve.run(count, count, request.at, integer(row, "n"));
    const first = integer(row, "next_seq");
    const { session: id, at } = request;
    insert(
      request.messages.map((message, index) => {
        const { content, retryOf, isSummary = false } = message;
        return [message.id, id, first + index, content, retryOf, isSummary ? 1 : 0, at];
      }),
    );
    const messages: Accepted = request.messages.map((message, index) => ({
      id: message.id,
      seq: first + index,
    }));
    for (const { id: message, seq } of messages)
      tell({ type: "message.accepted", data: { session: id, message, seq } }, at, told);
    earlier.remember(request, messages);
    const lastActivityAt = Math.max(integer(row, "last_activity_at"), request.at);
    const session = { ...sessionRecord(row), pending: pending + count, lastActivityAt };
    return { kind: "accepted", session, isNewSession: !before, messages, at: request.at };
  };
}

/** A session made by its first message without a template follows the settings in everything. */
const follower = {
  title: null,
  system: null,
  labels: {},
  overrides: { provider: null, model: null, mode: null },
};

/** Posts already answered, by session and Idempotency-Key. */
function createEarlier(database: Database): {
  find: (request: AcceptRequest) => AcceptResult | undefined;
  remember: (request: AcceptRequest, messages: Accepted) => void;
} {
  const find = database.prepare("SELECT hash, messages FROM idempotency WHERE session = ? AND key = ?");
  const remember = database.prepare(
    "INSERT INTO idempotency (session, key, hash, messages) VALUES (?, ?, ?, ?)",
  );
  return {
    find: ({ session, idempotency }) => {
      const row = idempotency && find.get(session, idempotency.key);
      if (!row) return undefined;
      if (text(row, "hash") !== idempotency.hash) return { kind: "conflict" };
      const messages = v.parse(acceptedSchema, JSON.parse(text(row, "messages")));
      return { kind: "replayed", messages };
    },
    remember: ({ session, idempotency }, messages) => {
      if (idempotency) remember.run(session, idempotency.key, idempotency.hash, JSON.stringify(messages));
    },
  };
}
