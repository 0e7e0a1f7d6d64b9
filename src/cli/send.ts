import { text as readAll } from "node:stream/consumers";
import { SegueError } from "../core/errors.ts";
import { messageAnswer, type MessageAnswer } from "./answers.ts";
import { DaemonClient, type Answer } from "./client.ts";
import type { CommandContext } from "./command.ts";

/** What `segue send` is to send. */
export interface SendOptions {
  session: string;
  /** The message; `-`, or undefined where standard input is no terminal, reads it from there. */
  text: string | undefined;
  waitSeconds: number | undefined;
  key: string | undefined;
}

/** The longest wait that one request may ask for (contract section 5). */
const longestPreferredWaitSeconds = 300;
const pollMs = 500;

/**
 * `segue send`: prints the message's id, with `--wait` its reply. A failed or cancelled message answers 1; where
 * time runs out `timed_out` is thrown, and the message is kept.
 */
export async function send(context: CommandContext, options: SendOptions): Promise<number> {
  const client = await DaemonClient.of(context);
  const content = await contentOf(options.text, context);
  const answer = await sendAndWait(client, context, options, content);
  return options.waitSeconds === undefined
    ? printAccepted(context, answer)
    : printOutcome(context, answer, options.waitSeconds);
}

async function contentOf(text: string | undefined, { stdin }: CommandContext): Promise<string> {
  if (text !== undefined && text !== "-") return text;
  if (text === undefined && stdin().isTTY) {
    throw new SegueError(
      "usage",
      "Say what to send: segue send SESSION TEXT, or - to read it from standard input.",
    );
  }
  return readAll(stdin());
}

async function sendAndWait(
  client: DaemonClient,
  { clock }: CommandContext,
  options: SendOptions,
  content: string,
): Promise<Answer<MessageAnswer>> {
  const waitSeconds = options.waitSeconds ?? 0;
  const deadline = clock.now() + waitSeconds * 1000;
  let answer = await post(client, options, content);
  while (!isEnded(answer.value) && clock.now() < deadline) {
    await clock.sleep(Math.min(pollMs, deadline - clock.now()));
    answer = await client.get(`/api/messages/${encodeURIComponent(answer.value.id)}`, messageAnswer);
  }
  return answer;
}

/** Without a wait the answer comes at once; with one, the daemon may answer when the message has ended. */
function post(client: DaemonClient, options: SendOptions, content: string): Promise<Answer<MessageAnswer>> {
  const preferred = Math.min(Math.floor(options.waitSeconds ?? 0), longestPreferredWaitSeconds);
  return client.post(`/api/sessions/${encodeURIComponent(options.session)}/messages`, messageAnswer, {
    body: { content },
    headers: {
      ...(options.key === undefined ? {} : { "Idempotency-Key": options.key }),
      ...(preferred > 0 ? { Prefer: `wait=${preferred}` } : {}),
    },
  });
}

function isEnded(message: MessageAnswer): boolean {
  return message.status !== "pending" && message.status !== "running";
}

function printAccepted({ flags, screen }: CommandContext, answer: Answer<MessageAnswer>): number {
  screen.answer(flags.json ? answer.text : answer.value.id);
  return 0;
}

function printOutcome(
  { flags, screen }: CommandContext,
  answer: Answer<MessageAnswer>,
  waitSeconds: number,
): number {
  const message = answer.value;
  if (!isEnded(message)) {
    screen.answer(flags.json ? answer.text : message.id);
    throw new SegueError(
      "timed_out",
      `No reply within ${waitSeconds} s; message ${message.id} is kept and goes on.`,
    );
  }
  if (flags.json) screen.answer(answer.text);
  if (message.status === "done") {
    if (!flags.json)
      screen.answer(message.reply ?? `(replied together with ${message.repliedBy ?? "another message"})`);
    return 0;
  }
  const why = message.error ? `: ${message.error.message} (${message.error.kind})` : "";
  screen.note(
    `segue: message ${message.id} ${message.status === "failed" ? "failed" : "was cancelled"}${why}`,
  );
  return 1;
}
