import type { SessionState } from "./state.ts";

/**
 * Which sessions have been idle for `idleUnloadMs`, and when the next one will have been (undefined: none is idle).
 */
export function dueToUnload<S extends { state: SessionState; isAtWork: boolean }>(
  sessions: Iterable<S>,
  now: number,
  idleUnloadMs: number,
): { unload: S[]; nextAt: number | undefined } {
  const unload: S[] = [];
  let nextAt: number | undefined;
  for (const session of sessions) {
    if (session.state.kind !== "idle" || session.isAtWork) continue;
    const at = session.state.since + idleUnloadMs;
    if (at <= now) unload.push(session);
    else if (nextAt === undefined || at < nextAt) nextAt = at;
  }
  return { unload, nextAt };
}
