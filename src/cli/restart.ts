import * as v from "valibot";
import { SegueError } from "../core/errors.ts";
import { anyAnswer, daemonAnswer, settingsAnswer, type DaemonAnswer } from "./answers.ts";
import { DaemonClient, type Answer } from "./client.ts";
import type { CommandContext } from "./command.ts";

const appliedAnswer = v.object({ applied: v.picklist(["now", "at_boundary"]) });

const pollMs = 50;
/** What a restart may take after the grace, before we stop waiting for it. */
const swapMs = 30_000;

/**
 * `segue restart`: gives one session a new generator at its next boundary; without a session it restarts the daemon
 * and answers 0 once that serves again; with `isUpgrade` as the program on disk, see `upgrade`. Throws `timed_out`
 * where this takes too long.
 */
export async function restart(
  context: CommandContext,
  session: string | undefined,
  isUpgrade: boolean,
): Promise<number> {
  if (isUpgrade && session !== undefined)
    throw new SegueError("usage", "a session is not upgraded: give either a session or --upgrade");
  const client = await DaemonClient.of(context);
  if (isUpgrade) return (await import("./upgrade.ts")).upgrade(context, client);
  await (session === undefined ? restartDaemon(context, client) : restartSession(context, client, session));
  return 0;
}

async function restartSession(
  { screen, flags }: CommandContext,
  client: DaemonClient,
  session: string,
): Promise<void> {
  const path = `/api/sessions/${encodeURIComponent(session)}/restart`;
  const { text, value } = await client.post(path, appliedAnswer);
  const said =
    value.applied === "now"
      ? `Session ${session} is restarted.`
      : `Session ${session} is restarted when its present turn ends.`;
  screen.answer(flags.json ? text : said);
}

async function restartDaemon(context: CommandContext, client: DaemonClient): Promise<void> {
  const { clock, screen, flags } = context;
  const before = (await client.get("/api/daemon", daemonAnswer)).value;
  const { graceMs } = (await client.get("/api/settings", settingsAnswer)).value.settings.daemon;
  const { text } = await client.post("/api/daemon/restart", anyAnswer);
  const deadline = clock.now() + graceMs + swapMs;
  let now = await present(client);
  while (!now || now.instanceId === before.instanceId || now.phase !== "serving") {
    if (clock.now() >= deadline)
      throw new SegueError("timed_out", "The daemon was asked to restart but does not serve again yet.", {
        hint: "Its log says what it waits for; `segue status` tells when it serves.",
      });
    await clock.sleep(pollMs);
    now = await present(client);
  }
  screen.answer(flags.json ? text : `Restarted; it serves at ${now.url ?? "its socket"}.`);
}

/** The daemon as it is now; undefined while none answers. */
async function present(client: DaemonClient): Promise<DaemonAnswer | undefined> {
  try {
    const answer: Answer<DaemonAnswer> = await client.get("/api/daemon", daemonAnswer);
    return answer.value;
  } catch (thrown) {
    if (thrown instanceof SegueError && thrown.code === "not_reachable") return undefined;
    throw thrown;
  }
}
