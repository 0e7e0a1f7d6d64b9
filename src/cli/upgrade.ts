import * as v from "valibot";
import { SegueError } from "../core/errors.ts";
import { anyAnswer, daemonAnswer, settingsAnswer } from "./answers.ts";
import type { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { isAlive } from "./process-alive.ts";

/** What rehearsal, migration and start may take beside the grace, before we stop waiting for them. */
const upgradeMs = 120_000;
const reconnectMs = 100;

const failureData = v.pipe(v.string(), v.parseJson(), v.object({ reason: v.string() }));

/**
 * `segue restart --upgrade`: asks the daemon to go over to the program that stands on disk in its place, and answers 0
 * once that serves; 1 where it did not, with the reason: then the daemon serves on as it was. Throws `timed_out` where
 * neither is known in time.
 */
export async function upgrade(context: CommandContext, client: DaemonClient): Promise<number> {
  const { clock, screen, flags } = context;
  const before = (await client.get("/api/daemon", daemonAnswer)).value;
  const { graceMs } = (await client.get("/api/settings", settingsAnswer)).value.settings.daemon;
  const limit = new AbortController();
  const late = clock.after(graceMs + upgradeMs, () => limit.abort());
  let answer = "";
  const ask = async (): Promise<void> => {
    answer = (await client.post("/api/daemon/restart", anyAnswer, { body: { upgrade: true } })).text;
  };
  try {
    // With --url the process may run on another machine: there its silence is all there is to see.
    const isThere = (): boolean => flags.url !== undefined || isAlive(before.pid);
    const failure = await failureOf(client, ask, { clock, isThere, signal: limit.signal });
    if (failure !== undefined) {
      screen.note(`segue: not upgraded: ${failure}`, "The daemon serves on as it was.");
      return 1;
    }
  } finally {
    late();
  }
  const { version, url } = (await client.get("/api/daemon", daemonAnswer)).value;
  const said = `Upgraded from ${before.version} to ${version}; it serves at ${url ?? "its socket"}.`;
  screen.answer(flags.json ? answer : said);
  return 0;
}

/** Asks once events are read, and follows them through the change of programs; undefined where that succeeds. */
async function failureOf(
  client: DaemonClient,
  ask: () => Promise<void>,
  around: { clock: CommandContext["clock"]; isThere: () => boolean; signal: AbortSignal },
): Promise<string | undefined> {
  const { clock, isThere, signal } = around;
  let after: string | undefined;
  let asked: Promise<void> | undefined;
  const onOpen = (): void => void (asked ??= ask());
  while (!signal.aborted) {
    try {
      const options = { signal, onOpen, ...(after === undefined ? {} : { after }) };
      for await (const event of client.events("/api/events?type=daemon.*", options)) {
        await asked;
        after = event.id ?? after;
        if (event.type === "daemon.restarted") return undefined;
        if (event.type === "daemon.restart_failed") return v.parse(failureData, event.data).reason;
        if (event.type === "daemon.stopping") return "the daemon was stopped";
      }
    } catch (thrown) {
      const isBetween = thrown instanceof SegueError && thrown.code === "not_reachable";
      if (!isBetween || after === undefined || !isThere()) throw thrown;
    }
    await clock.sleep(reconnectMs, signal);
  }
  throw new SegueError("timed_out", "The daemon was asked to upgrade, but whether it did is not known yet.", {
    hint: "Its log says what it waits for; `segue status` tells when it serves.",
  });
}
