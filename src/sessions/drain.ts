import type { Clock } from "../core/clock.ts";
import type { Session } from "./session.ts";
import type { AbortReason } from "./turn-end.ts";

/** What the messages of turns that a drain aborts are put back for. */
export type DrainReason = Exclude<AbortReason, "restart">;

/** How many turns a drain aborted, and how many messages it put back. */
export interface Drained {
  aborted: number;
  requeued: number;
}

/**
 * Closes sessions; resolves when none of them has a turn. At `deadline` (a time) the turns left are aborted and their
 * messages put back for `reason`.
 */
export async function drainSessions(
  sessions: readonly Session[],
  { clock, deadline, reason }: { clock: Clock; deadline: number; reason: DrainReason },
): Promise<Drained> {
  const closed = Promise.all(sessions.map((session) => session.close()));
  const ended = new AbortController();
  const grace = clock.sleep(deadline - clock.now(), ended.signal);
  const isInTime = await Promise.race([closed.then(() => true), grace.then(() => false)]);
  ended.abort();
  const drained = isInTime ? { aborted: 0, requeued: 0 } : abortAll(sessions, reason);
  await closed;
  return drained;
}

function abortAll(sessions: readonly Session[], reason: DrainReason): Drained {
  const drained = { aborted: 0, requeued: 0 };
  for (const session of sessions) {
    if (!session.isAtWork) continue;
    drained.aborted += session.inFlight > 0 ? 1 : 0;
    drained.requeued += session.inFlight;
    session.abort(reason);
  }
  return drained;
}
