import * as v from "valibot";
import { SegueError } from "../core/errors.ts";
import { messageAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";

const countAnswer = v.object({ count: v.number() });

/**
 * `segue retry`: sends a failed message again and prints the new one's id, or with `session` all that failed there.
 * Throws `usage` unless exactly one of the two is named.
 */
export async function retry(
  context: CommandContext,
  { message, session }: { message: string | undefined; session: string | undefined },
): Promise<number> {
  if ((message === undefined) === (session === undefined))
    throw new SegueError(
      "usage",
      "Say what to send again: segue retry MESSAGE, or segue retry --session SESSION.",
    );
  const client = await DaemonClient.of(context);
  await (message === undefined
    ? retryAll(context, client, session ?? "")
    : retryOne(context, client, message));
  return 0;
}

async function retryOne({ screen, flags }: CommandContext, client: DaemonClient, id: string): Promise<void> {
  const answer = await client.post(`/api/messages/${encodeURIComponent(id)}/retry`, messageAnswer);
  screen.answer(flags.json ? answer.text : answer.value.id);
}

async function retryAll({ screen, flags }: CommandContext, client: DaemonClient, id: string): Promise<void> {
  const { text, value } = await client.post(`/api/sessions/${encodeURIComponent(id)}/retry`, countAnswer);
  const said =
    value.count === 0
      ? "No message of this session waits for a retry."
      : `${value.count} failed ${value.count === 1 ? "message is" : "messages are"} pending again.`;
  screen.answer(flags.json ? text : said);
}
