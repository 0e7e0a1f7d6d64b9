import { type Command, InvalidArgumentError } from "commander";
import { SegueError } from "../core/errors.ts";
import type { Runs } from "./run.ts";

/** The commands about sessions and their messages. */
export function addSessionCommands(program: Command, runs: Runs): void {
  program
    .command("send")
    .description("send a message into a session, which is made if it is new; prints the message's id")
    .argument("<session>", "id of the session")
    .argument("[text]", "the message; - or nothing reads it from standard input")
    .option("--wait <seconds>", "wait for the reply so long, and print it", waitSeconds)
    .option("--key <key>", "an Idempotency-Key: sending again with it makes no second message")
    .option("--lines", "every line of standard input is a message of its own")
    .action(
      runs<{ wait?: number; key?: string; lines?: true }>(async (context, [session = "", text], flags) => {
        const { wait: waitSeconds, key } = flags;
        if (!flags.lines)
          return (await import("./send.ts")).send(context, { session, text, waitSeconds, key });
        if (waitSeconds !== undefined || (text !== undefined && text !== "-"))
          throw new SegueError("usage", "--lines reads standard input, and does not wait for replies.");
        return (await import("./send-lines.ts")).sendLines(context, { session, key });
      }),
    );
  addMessageCommands(program, runs);
  program
    .command("sessions")
    .description("list the sessions, or show one")
    .argument("[id]", "id of a session")
    .action(runs(async (context, [id]) => (await import("./sessions.ts")).showSessions(context, id)));
  program
    .command("tail")
    .description("follow what happens, event by event")
    .argument("[session]", "only what happens in this session")
    .action(runs(async (context, [session]) => (await import("./tail.ts")).tail(context, session)));
}

function addMessageCommands(program: Command, runs: Runs): void {
  program
    .command("cancel")
    .description("end a message that has not ended; one in flight is stopped")
    .argument("<message>", "id of the message")
    .action(runs(async (context, [message = ""]) => (await import("./cancel.ts")).cancel(context, message)));
  program
    .command("retry")
    .description("send a failed message again, as a new one; prints its id")
    .argument("[message]", "id of the message")
    .option("--session <session>", "all that failed in this session and were not sent again yet")
    .action(
      runs<{ session?: string }>(async (context, [message], { session }) =>
        (await import("./retry.ts")).retry(context, { message, session }),
      ),
    );
  program
    .command("rm")
    .description("delete a session and all that is in it; what has not ended is cancelled")
    .argument("<session>", "id of the session")
    .action(runs(async (context, [session = ""]) => (await import("./remove.ts")).remove(context, session)));
}

function waitSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds > 86_400) {
    throw new InvalidArgumentError("It must be a number of seconds from 0 to 86400.");
  }
  return seconds;
}
