import type { MessageError } from "../../core/events.ts";
import type { Database, SqlRow } from "../../platform/platform.ts";
import { runsApart } from "./apart.ts";
import { tell, type ToldEvent } from "./events.ts";
import { integer, text } from "./row.ts";
import { ofMessage } from "./turn-end.ts";

/** Returns the leases of every other boot inside the present transaction (see `Store.messages.recover`). */
export function createRecover(
  database: Database,
): (
  boot: string,
  maxAttempts: number,
  at: number,
  told: ToldEvent[],
) => { requeued: number; failed: number } {
  const orphaned = database.prepare(
    "SELECT * FROM messages WHERE status = 'running' AND lease_boot <> ? ORDER BY n",
  );
  const requeue = database.prepare(
    `UPDATE messages SET status = 'pending', attempts = ?, crashes = crashes + 1, is_alone = max(is_alone, ?),
       error = ?, started_at = NULL, lease_boot = NULL, lease_generator = NULL WHERE n = ?`,
  );
  const fail = database.prepare(
    `UPDATE messages SET status = 'failed', crashes = crashes + 1, error = ?, finished_at = ?, lease_boot = NULL,
       lease_generator = NULL WHERE n = ?`,
  );
  const count = database.prepare(
    "UPDATE sessions SET pending = pending + 1, head_seq = min(head_seq, ?) WHERE id = ?",
  );

  const recoverOne = (
    row: SqlRow,
    isBatch: boolean,
    maxAttempts: number,
    at: number,
    told: ToldEvent[],
  ): boolean => {
    const error: MessageError = {
      kind: "interrupted",
      message: "the daemon stopped while this message was in flight",
    };
    // The first crash may be anybody's fault; a message found in flight again is counted.
    const isFoundAgain = integer(row, "crashes") > 0;
    // Of a batch it may have been any of them: before one is blamed, they are taken one by one.
    const isCounted = isFoundAgain && !isBatch;
    const attempts = integer(row, "attempts") - (isCounted ? 0 : 1);
    const data = { ...ofMessage(row), error };
    if (isCounted && attempts >= maxAttempts) {
      fail.run(JSON.stringify(error), at, integer(row, "n"));
      tell({ type: "message.failed", data }, at, told);
      return false;
    }
    requeue.run(attempts, isFoundAgain ? 1 : 0, JSON.stringify(error), integer(row, "n"));
    count.run(integer(row, "seq"), text(row, "session"));
    tell({ type: "message.requeued", data: { ...data, reason: "crash" } }, at, told);
    return true;
  };

  return (boot, maxAttempts, at, told) => {
    const rows = orphaned.all(boot);
    const turns = Map.groupBy(rows, turnOf);
    const requeued = rows.filter((row) => {
      const isApart = integer(row, "is_alone") === runsApart;
      const isBatch = isApart || (turns.get(turnOf(row))?.length ?? 0) > 1;
      return recoverOne(row, isBatch, maxAttempts, at, told);
    }).length;
    return { requeued, failed: rows.length - requeued };
  };
}

/** What the messages of one turn have in common. */
function turnOf(row: SqlRow): string {
  return `${text(row, "lease_boot")} ${text(row, "lease_generator")} ${text(row, "session")}`;
}
