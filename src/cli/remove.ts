import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";

/** `segue rm`: deletes a session and all that is in it. With `--json` it prints nothing: the API returns nothing. */
export async function remove(context: CommandContext, session: string): Promise<number> {
  const { screen, flags } = context;
  const client = await DaemonClient.of(context);
  await client.delete(`/api/sessions/${encodeURIComponent(session)}`);
  if (!flags.json) screen.answer(`Session ${session} is deleted.`);
  return 0;
}
