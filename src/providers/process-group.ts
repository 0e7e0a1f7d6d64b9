import type { Clock } from "../core/clock.ts";

/** What a group that was asked to end is given before it is made to. */
const killAfterMs = 2000;
const lookEveryMs = 25;

/**
 * Sends SIGTERM to the process group of `leader`, after 2 s SIGKILL. Resolves when the leader has exited and no
 * other process of the group is left to wait for.
 */
export async function endProcessGroup(leader: number, exited: Promise<unknown>, clock: Clock): Promise<void> {
  signalGroup(leader, "SIGTERM");
  const deadline = clock.now() + killAfterMs;
  const leaderGone = new AbortController();
  void exited.then(() => leaderGone.abort());
  await clock.sleep(killAfterMs, leaderGone.signal);
  // No event tells that the leader's children are gone.
  while (clock.now() < deadline && signalGroup(leader, 0)) await clock.sleep(lookEveryMs);
  signalGroup(leader, "SIGKILL");
  await exited;
}

/** False where no process of the group is left. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch {
    return false;
  }
}
