import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../core/clock.ts";

/** What a group that was asked to end is given before it is made to. */
const killAfterMs = 2000;
const lookEveryMs = 50;

/**
 * Sends SIGTERM to the process group of `leader`, after 2 s SIGKILL. Resolves when the leader has exited and
 * nothing else of the group runs.
 */
export async function endProcessGroup(leader: number, exited: Promise<unknown>, clock: Clock): Promise<void> {
  signalGroup(leader, "SIGTERM");
  const deadline = clock.now() + killAfterMs;
  const leaderGone = new AbortController();
  void exited.then(() => leaderGone.abort());
  await clock.sleep(killAfterMs, leaderGone.signal);
  // No event tells that the leader's children are gone.
  while (clock.now() < deadline && isGroupRunning(leader)) await clock.sleep(lookEveryMs);
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

/**
 * Whether anything of the group still runs. The orphans of a leader that has exited may stay as zombies, in a
 * container without an init for ever: those can be signalled, and are not waited for.
 */
function isGroupRunning(leader: number): boolean {
  if (!signalGroup(leader, 0)) return false;
  try {
    return readdirSync("/proc").some((entry) => /^\d+$/.test(entry) && isRunningIn(leader, entry));
  } catch {
    return true;
  }
}

/** proc(5): after the name in brackets come state, parent and process group. */
function isRunningIn(group: number, pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "", , itsGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(itsGroup) === group && !/[ZX]/.test(state);
  } catch {
    return false;
  }
}
