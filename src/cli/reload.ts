import { settingsStatusAnswer, type SettingsStatusAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";

/** `segue reload`: reads the settings file now and returns once it is in force; 5 where it is not valid. */
export function reload(context: CommandContext): Promise<number> {
  return order(context, "reload", ({ revision, waiting }) =>
    waiting
      ? `An edit waits; \`segue plan\` shows it, \`segue apply\` puts it in force. Now: revision ${revision}.`
      : `Revision ${revision} is in force.`,
  );
}

/** `segue apply`: puts the edit that waits in force (`reload.mode` manual); 1 where none waits. */
export function apply(context: CommandContext): Promise<number> {
  return order(context, "apply", ({ revision }) => `Revision ${revision} is in force.`);
}

/** `segue release`: tries held and parked bindings again now. */
export function release(context: CommandContext): Promise<number> {
  return order(context, "release", () => "What was held or parked is tried again.");
}

async function order(
  context: CommandContext,
  what: "reload" | "apply" | "release",
  say: (status: SettingsStatusAnswer) => string,
): Promise<number> {
  const { screen, flags } = context;
  const client = await DaemonClient.of(context);
  const { text, value } = await client.post(`/api/settings/${what}`, settingsStatusAnswer);
  screen.answer(flags.json ? text : say(value));
  return 0;
}
