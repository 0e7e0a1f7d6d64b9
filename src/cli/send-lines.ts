import { createInterface } from "node:readline";
import * as v from "valibot";
import { SegueError } from "../core/errors.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { Progress } from "./progress.ts";

const limitsAnswer = v.object({
  settings: v.object({ limits: v.object({ maxPendingPerSession: v.number() }) }),
});
const acceptedLines = v.object({
  items: v.array(v.object({ id: v.string(), seq: v.number() })),
  count: v.number(),
});

/** Lines of one request: few enough to be accepted at once, and for the daemon's bound on bodies. */
const mostLines = 500;
const mostBytes = 4 * 1024 * 1024;
/** How long a full inbox is given to become shorter. */
const fullMs = 1000;

/** What `segue send --lines` is to send. */
export interface SendLinesOptions {
  session: string;
  key: string | undefined;
}

/**
 * `segue send SESSION --lines`: every line of standard input is a message; empty lines are passed over. Prints the ids
 * in order. Where the inbox is full it waits until there is room. With a key each part has one of its own, so that the
 * same input can be sent again without a second message.
 */
export async function sendLines(context: CommandContext, options: SendLinesOptions): Promise<number> {
  const client = await DaemonClient.of(context);
  const progress = new Progress(context);
  let sent = 0;
  let part = 0;
  try {
    for await (const contents of partsOf(context.stdin(), await mostLinesOf(client))) {
      part += 1;
      const key = options.key === undefined ? undefined : `${options.key}.${part}`;
      const answer = await postPart(client, context, { ...options, key }, contents, () =>
        progress.show(`${sent} messages sent; the inbox is full, waiting for room`),
      );
      sent += answer.value.count;
      if (context.flags.json) context.screen.answer(answer.text);
      else context.screen.answer(...answer.value.items.map(({ id }) => id));
      progress.show(`${sent} messages sent`);
    }
  } finally {
    progress.end();
  }
  return 0;
}

/** What never fits into the inbox would be waited for without an end. */
async function mostLinesOf(client: DaemonClient): Promise<number> {
  const { value } = await client.get("/api/settings", limitsAnswer);
  return Math.max(1, Math.min(mostLines, value.settings.limits.maxPendingPerSession));
}

async function* partsOf(stdin: NodeJS.ReadableStream, most: number): AsyncGenerator<string[], void, void> {
  let part: string[] = [];
  let bytes = 0;
  for await (const line of createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line === "") continue;
    part.push(line);
    bytes += Buffer.byteLength(line);
    if (part.length < most && bytes < mostBytes) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}

async function postPart(
  client: DaemonClient,
  { clock }: CommandContext,
  { session, key }: SendLinesOptions,
  contents: readonly string[],
  onFull: () => void,
) {
  const lines = contents.map((content) => JSON.stringify({ content })).join("\n");
  for (;;) {
    try {
      return await client.post(`/api/sessions/${encodeURIComponent(session)}/messages`, acceptedLines, {
        lines,
        ...(key === undefined ? {} : { headers: { "Idempotency-Key": key } }),
      });
    } catch (thrown) {
      if (!(thrown instanceof SegueError) || thrown.code !== "too_many_pending") throw thrown;
      onFull();
      await clock.sleep(fullMs);
    }
  }
}
