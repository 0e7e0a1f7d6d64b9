import { SegueError } from "../core/errors.ts";
import { anyAnswer, daemonAnswer, settingsAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { isAlive } from "./process-alive.ts";

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
