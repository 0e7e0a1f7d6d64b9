import { resolve } from "node:path";
import { SegueError } from "../core/errors.ts";
import { settingsValue } from "../settings/document.ts";
import { editAnswer, settingsStatusAnswer, type PlanAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { problemLine } from "./failure.ts";
import { readGivenFile } from "./given-file.ts";

/**
 * `segue plan`: what the edit that waits would change, or with a file what putting it in the place of the settings
 * would. Changes nothing. A file with problems is told as by `segue check`: 5.
 */
export async function plan(context: CommandContext, file: string | undefined): Promise<number> {
  const client = await DaemonClient.of(context);
  return file === undefined ? planWaiting(context, client) : planFile(context, client, file);
}

async function planWaiting({ screen, flags }: CommandContext, client: DaemonClient): Promise<number> {
  const status = await client.get("/api/settings/status", settingsStatusAnswer);
  // An edit made just now is meant too; in `auto` reading it would put it in force.
  const isManual = status.value.mode === "manual";
  const { value } = isManual ? await client.post("/api/settings/reload", settingsStatusAnswer) : status;
  if (flags.json) screen.answer(JSON.stringify(value.waiting));
  else if (value.waiting === null) screen.answer(`Nothing waits: revision ${value.revision} is in force.`);
  else screen.answer(...planLines(value.waiting));
  return 0;
}

async function planFile(
  { screen, flags }: CommandContext,
  client: DaemonClient,
  file: string,
): Promise<number> {
  const read = settingsValue(readGivenFile(resolve(file), file));
  if ("problems" in read) {
    screen.note(...read.problems.map((problem) => problemLine(problem, file)));
    return 5;
  }
  try {
    const answer = await client.send("PUT", "/api/settings?dryRun=1", editAnswer, { body: read.value });
    screen.answer(...(flags.json ? [answer.text] : planLines(answer.value.plan)));
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof SegueError) || thrown.code !== "settings_invalid") throw thrown;
    // The places are those of another text: the file's comments do not travel.
    screen.note(...(thrown.problems ?? []).map(({ message }) => `${file}: ${message}`));
    return 5;
  }
}

/** A plan for people: what changes, when, and for how many sessions. */
export function planLines(plan: PlanAnswer): string[] {
  const classes = [
    ["at once", plan.live],
    ["with the next turn", plan.turn],
    ["with a restart", plan.restart],
    ["not while a flag beats it", plan.masked],
  ] as const;
  const changes = classes.flatMap(([when, keys]) => keys.map((key) => `${key}: ${when}`));
  if (changes.length === 0) return ["Nothing changes."];
  const { sessions } = plan;
  if (!sessions) return changes;
  const { now, atBoundary, unaffected } = sessions;
  return [
    ...changes,
    `sessions: ${now} now, ${atBoundary} at the end of their turn, ${unaffected} not affected`,
  ];
}
