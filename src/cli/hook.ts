import { appendFile, mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import * as v from "valibot";
import { agentName } from "../agents/claude-code.ts";
import { sessionStartOutput, startingContext } from "../agents/starting-context.ts";
import { isoTime } from "../core/clock.ts";
import { errorText } from "../core/errors.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { memoryPage, memoryPath } from "./memory.ts";

/** The agent waits for the answer: after this long it starts without one. Starting the program comes on top. */
const limitMs = 200;
/** A log longer than this is put aside and begun anew. */
const longestLogBytes = 256 * 1024;

const eventSchema = v.object({ cwd: v.pipe(v.string(), v.nonEmpty()) });
const settingsSchema = v.object({
  settings: v.object({ agents: v.object({ memories: v.pipe(v.number(), v.integer(), v.minValue(0)) }) }),
});

/**
 * `segue hook claude-code`, the agent's command hook for SessionStart: reads the event on standard input, prints what
 * is remembered of the project as its `additionalContext`. Always answers 0: whatever goes wrong, nothing is printed,
 * and a line in `hook.log` in the data folder says why.
 */
export async function runHook(context: CommandContext, agent: string): Promise<number> {
  const { clock, screen } = context;
  const limit = new AbortController();
  try {
    if (agent !== agentName) throw new Error(`there is no agent ${JSON.stringify(agent)}, only ${agentName}`);
    const told = await Promise.race([
      remembered(context),
      clock.sleep(limitMs, limit.signal).then(() => {
        throw new Error(`the daemon did not answer within ${limitMs} ms`);
      }),
    ]);
    if (told !== undefined) screen.answer(sessionStartOutput(told));
  } catch (thrown) {
    await logFailure(context, thrown);
  } finally {
    limit.abort();
  }
  return 0;
}

async function remembered(context: CommandContext): Promise<string | undefined> {
  const event: unknown = JSON.parse(await readAll(context.stdin()));
  const { cwd } = v.parse(eventSchema, event);
  const client = await DaemonClient.of(context);
  const { memories } = (await client.get("/api/settings", settingsSchema)).value.settings.agents;
  if (memories === 0) return undefined;
  const page = await client.get(memoryPath(cwd, Math.min(memories, 1000)), memoryPage);
  return startingContext(page.value.items);
}

/** Where even that cannot be written there is nobody left to tell: the agent must not fail for it. */
async function logFailure({ paths, clock }: CommandContext, thrown: unknown): Promise<void> {
  try {
    const path = join(paths.data, "hook.log");
    await mkdir(paths.data, { recursive: true, mode: 0o700 });
    const size = await stat(path).then(
      (about) => about.size,
      () => 0,
    );
    if (size > longestLogBytes) await rename(path, `${path}.old`);
    const line = `${isoTime(clock.now())} ${errorText(thrown).replaceAll(/\s+/g, " ")}\n`;
    await appendFile(path, line, { mode: 0o600 });
  } catch {
    // Said above.
  }
}
