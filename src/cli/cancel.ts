import { messageAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";

/** `segue cancel`: ends a message that has not ended; one in flight is stopped. Throws where it has ended already. */
export async function cancel(context: CommandContext, message: string): Promise<number> {
  const { screen, flags } = context;
  const client = await DaemonClient.of(context);
  const answer = await client.post(`/api/messages/${encodeURIComponent(message)}/cancel`, messageAnswer);
  screen.answer(flags.json ? answer.text : `Message ${answer.value.id} is cancelled.`);
  return 0;
}
