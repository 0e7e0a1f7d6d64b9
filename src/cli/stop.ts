import { readFileSync } from "node:fs";
import { SegueError } from "../core/errors.ts";
import { anyAnswer, daemonAnswer, settingsAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";

const pollMs = 50;
/** What closing the store and the listeners may take after the grace, before we stop waiting for it. */
const closingMs = 30_000;

/** `segue stop`: asks the daemon to stop and answers 0 once it is gone; `timed_out` where it takes too long. */
export async function stop(context: CommandContext): Promise<number> {
  const { clock, screen, flags } = context;
  const client = await DaemonClient.of(context);
  const daemon = (await client.get("/api/daemon", daemonAnswer)).value;
  const { graceMs } = (await client.get("/api/settings", settingsAnswer)).value.settings.daemon;
  const answer = await client.post("/api/daemon/stop", anyAnswer);
  const deadline = clock.now() + graceMs + closingMs;
  // With --url the process may run on another machine: then its silence is all there is to see.
  const pid = flags.url === undefined ? daemon.pid : undefined;
  while (await isThere(client, pid)) {
    if (clock.now() >= deadline) {
      throw new SegueError(
        "timed_out",
        `The daemon (process ${daemon.pid}) was asked to stop but is still there.`,
        {
          hint: "Its log says what it waits for. What it has accepted is kept, whatever happens to the process.",
        },
      );
    }
    await clock.sleep(pollMs);
  }
  screen.answer(
    flags.json
      ? answer.text
      : `Stopped (process ${daemon.pid}). What was not finished is kept for the next start.`,
  );
  return 0;
}

async function isThere(client: DaemonClient, pid: number | undefined): Promise<boolean> {
  return (await client.isReachable()) || (pid !== undefined && isAlive(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    // EPERM: it is there, but belongs to somebody else.
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
  return !isZombie(pid);
}

/** A process that has ended but whose parent has not asked for its exit code; known on Linux only. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}
