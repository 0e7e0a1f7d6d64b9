import { type Command, InvalidArgumentError, Option } from "commander";
import type { DevFlags } from "./dev.ts";
import type { Runs } from "./run.ts";
import type { ServeFlags } from "./serve.ts";

/** The commands about the daemon itself. */
export function addDaemonCommands(program: Command, runs: Runs): void {
  addServe(program, runs);
  addDev(program, runs);
  program
    .command("status")
    .description("what is in force, what is pending, what is wrong and what to do about it")
    .option("--watch", "show it again whenever something changes")
    .action(
      runs<{ watch?: boolean }>(async (context, _args, flags) =>
        (await import("./status.ts")).showStatus(context, { isWatching: flags.watch === true }),
      ),
    );
  program
    .command("restart")
    .description("restart the daemon without losing a message, or give one session a new generator")
    .argument("[session]", "only this session, when its present turn ends")
    .option("--upgrade", "go over to the program that stands on disk now, where that can serve")
    .action(
      runs<{ upgrade?: boolean }>(async (context, [session], { upgrade }) =>
        (await import("./restart.ts")).restart(context, session, upgrade === true),
      ),
    );
  program
    .command("stop")
    .description("stop the daemon: turns in flight may finish, everything else is kept for the next start")
    .action(runs(async (context) => (await import("./stop.ts")).stop(context)));
  program
    .command("checkpoint")
    .description("print all sessions with their contexts and what has not ended, to be restored elsewhere")
    .option("--out <file>", "write it to this file instead")
    .action(
      runs<{ out?: string }>(async (context, _args, { out }) =>
        (await import("./checkpoint.ts")).checkpoint(context, out),
      ),
    );
  program
    .command("restore")
    .description("put the sessions of a checkpoint into the data folder, all or none, while no daemon runs")
    .argument("<file>", "what segue checkpoint wrote")
    .action(runs(async (context, [file = ""]) => (await import("./restore.ts")).restore(context, file)));
  program
    .command("tour")
    .description("see it work: a daemon of its own, sixty messages, two edits, one kill, nothing lost")
    .action(runs(async (context) => (await import("./tour.ts")).tour(context)));
}

/** Adds the command that is the daemon. */
export function addServe(program: Command, runs: Runs): void {
  addSettingOptions(program.command("serve").description("run the daemon in the foreground"))
    .option(
      "--strict",
      "end with exit code 5 where the settings are not valid, instead of using the last accepted ones",
    )
    .option("--tips", "print three commands to try")
    .addOption(new Option("--under-dev", "end with standard input").hideHelp())
    .addOption(new Option("--rehearse <folder>", "show that an upgrade can serve").hideHelp())
    .addOption(new Option("--migrate", "migrate the store of the daemon that is upgraded").hideHelp())
    .action(
      runs<ServeFlags>(async (context, _args, flags) => (await import("./serve.ts")).serve(context, flags)),
    );
}

function addDev(program: Command, runs: Runs): void {
  addSettingOptions(
    program
      .command("dev")
      .description(
        "run the daemon on a data folder of its own and start it again whenever this program changes",
      ),
  )
    .addOption(
      new Option("--watch <path...>", "a file or folder whose changes count too; repeatable").default(
        [],
        "none",
      ),
    )
    .action(runs<DevFlags>(async (context, _args, flags) => (await import("./dev.ts")).dev(context, flags)));
}

function addSettingOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--set <key=value>", "a setting that beats the file; repeatable")
        .argParser((text: string, before: string[]) => [...before, text])
        .default([], "none"),
    )
    .option("--host <host>", "the same as --set server.host=HOST")
    .option("--port <port>", "the same as --set server.port=PORT", portNumber)
    .addOption(new Option("--log <format>", "form of the log").choices(["json", "text"]));
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
  return port;
}
