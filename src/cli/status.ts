import { SegueError } from "../core/errors.ts";
import {
  daemonAnswer,
  settingsAnswer,
  settingsStatusAnswer,
  statsAnswer,
  type DaemonAnswer,
  type SettingsAnswer,
  type SettingsStatusAnswer,
  type StatsAnswer,
} from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { problemLine } from "./failure.ts";
import type { Screen } from "./screen.ts";

/** How long events may gather before the status is shown again. */
const gatherMs = 250;
const reconnectMs = 1000;

/** All that the status is made of. */
export interface StatusAnswers {
  daemon: DaemonAnswer;
  status: SettingsStatusAnswer;
  settings: SettingsAnswer;
  stats: StatsAnswer;
}

/**
 * `segue status`: what is in force, what is pending, what is wrong and what to do about it. With `--watch` again
 * whenever something happens, until it is interrupted. With `--json` an object of the API's answers.
 */
export async function showStatus(context: CommandContext, options: { isWatching: boolean }): Promise<number> {
  const client = await DaemonClient.of(context);
  await showOnce(context, client);
  if (options.isWatching) await watch(context, client);
  return 0;
}

async function showOnce({ flags, screen }: CommandContext, client: DaemonClient): Promise<void> {
  const [daemon, status, settings, stats] = await Promise.all([
    client.get("/api/daemon", daemonAnswer),
    client.get("/api/settings/status", settingsStatusAnswer),
    client.get("/api/settings", settingsAnswer),
    client.get("/api/stats", statsAnswer),
  ]);
  if (flags.json) {
    screen.answer(`{"daemon":${daemon.text},"status":${status.text},"stats":${stats.text}}`);
    return;
  }
  const answers = {
    daemon: daemon.value,
    status: status.value,
    settings: settings.value,
    stats: stats.value,
  };
  screen.answer(...statusLines(answers, screen));
}

/** Shows the status again after each burst of events; where the daemon goes away it says so and waits for it. */
async function watch(context: CommandContext, client: DaemonClient): Promise<void> {
  const { screen, clock } = context;
  while (!screen.gone.aborted) {
    try {
      for await (const _event of client.events(watchedEvents, { signal: screen.gone })) {
        await clock.sleep(gatherMs, screen.gone);
        screen.clear();
        await showOnce(context, client);
      }
    } catch (thrown) {
      if (!(thrown instanceof SegueError) || thrown.code !== "not_reachable") throw thrown;
      screen.note("The daemon does not answer; waiting for it.");
    }
    await clock.sleep(reconnectMs, screen.gone);
  }
}

/** Not the pieces of replies: they change nothing that is shown. */
const watchedEvents =
  "/api/events?type=session.*,message.accepted,message.started,message.done,message.failed,message.requeued," +
  "message.cancelled,settings.*,rollout.*,provider.*,budget.*,daemon.*";

/** The status for people. What is wrong stands last, each with what to do about it, so that it stays in sight. */
export function statusLines(answers: StatusAnswers, screen: Pick<Screen, "style">): string[] {
  return [...inForce(answers, screen), ...pending(answers, screen), ...wrong(answers, screen)];
}

function inForce(
  { daemon, status, settings, stats }: StatusAnswers,
  screen: Pick<Screen, "style">,
): string[] {
  const chosen = settings.settings.provider;
  const model = settings.settings.providers[chosen]?.model;
  const at = status.appliedAt === null ? "" : `, since ${status.appliedAt}`;
  return [
    fact(
      screen,
      "daemon",
      `Segue ${daemon.version}, process ${daemon.pid}, ${daemon.phase} at ${daemon.url ?? "its socket"}`,
    ),
    fact(screen, "settings", `revision ${status.revision}${at}, from ${status.path} (${status.watching})`),
    ...(status.ignored === undefined
      ? []
      : [
          fact(
            screen,
            "legacy",
            `claude-mem's settings; ignored: ${status.ignored.join(", ") || "nothing"}. \`segue migrate\` writes Segue's own`,
          ),
        ]),
    fact(screen, "provider", model === undefined ? chosen : `${chosen}, model ${model}`),
    fact(screen, "sessions", `${stats.activeSessions} in memory, ${stats.busySessions} busy`),
    fact(screen, "turns", `${stats.turns} done, ${stats.tokensToday} tokens today`),
  ];
}

function pending({ status, stats }: StatusAnswers, screen: Pick<Screen, "style">): string[] {
  const oldest =
    stats.oldestPendingMs === null ? "" : `, the oldest for ${durationText(stats.oldestPendingMs)}`;
  const rollout = status.rollout;
  return [
    fact(
      screen,
      "pending",
      stats.pendingMessages === 0 ? "no messages" : `${stats.pendingMessages} messages${oldest}`,
    ),
    ...(status.waiting === null
      ? []
      : [
          fact(
            screen,
            "waiting",
            `an edit of ${status.waiting.changedKeys.join(", ")}; \`segue apply\` puts it in force`,
          ),
        ]),
    ...status.pendingRestarts.map((restart) =>
      fact(
        screen,
        "restart",
        `${restart.session}: ${restart.reason}${restart.blockedBy ? `, after its ${restart.blockedBy}` : ""}`,
      ),
    ),
    ...(rollout === null || rollout.done >= rollout.total
      ? []
      : [
          fact(
            screen,
            "rollout",
            `revision ${rollout.revision}: ${rollout.done} of ${rollout.total} sessions, ${rollout.state}`,
          ),
        ]),
  ];
}

function wrong({ status, stats }: StatusAnswers, screen: Pick<Screen, "style">): string[] {
  const parks = Object.entries(stats.providers).flatMap(([name, provider]) =>
    provider.parks.map((park) => ({ name, park })),
  );
  const lines = [
    ...status.problems.map((problem) => problemLine(problem, status.path)),
    ...(status.problems.length > 0
      ? [`Revision ${status.revision} stays in force until the file is well again.`]
      : []),
    ...status.notInForce.map(({ key, reason }) => `${key} is not in force: ${reason}`),
    ...status.held.map(heldText),
    ...parks.map(({ name, park }) => parkText(name, park)),
  ];
  return lines.map((line) => fact(screen, "wrong", screen.style("yellow", line)));
}

/** A binding that was refused before it ever worked (contract section 3.5). */
function heldText({
  provider,
  model,
  reason,
  since,
  sessions,
}: SettingsStatusAnswer["held"][number]): string {
  const what = `provider ${provider}, model ${model}, is held (${reason}) since ${since}; ${sessions} sessions want it.`;
  return `${what} ${parkAdvice.get(reason) ?? "Check its settings."}`;
}

function parkText(name: string, park: StatsAnswer["providers"][string]["parks"][number]): string {
  const until = park.until === null ? "" : ` until ${park.until}`;
  const what = `provider ${name} is parked (${park.reason})${until}; ${park.sessions} sessions wait`;
  const advice = parkAdvice.get(park.reason);
  return advice === undefined ? `${what}.` : `${what}. ${advice}`;
}

const parkAdvice = new Map([
  ["auth", "Check its apiKey."],
  ["not_found", "Check its model and baseUrl."],
  ["unreachable", "Check its baseUrl and that its server runs."],
]);

function fact(screen: Pick<Screen, "style">, name: string, text: string): string {
  return `${screen.style("dim", name.padEnd(10))}${text}`;
}

/** A duration for people: `850 ms`, `12 s`, `3 min`, `5 h`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}
