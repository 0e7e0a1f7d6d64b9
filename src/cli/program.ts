import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { SegueError } from "../core/errors.ts";
import type { CommandContext, CommonFlags, Surroundings } from "./command.ts";
import { describeError, describeFault } from "./failure.ts";
import { findPaths } from "./paths.ts";
import { Screen, wantsColour } from "./screen.ts";
import type { ServeFlags } from "./serve.ts";
import { version } from "./version.ts";

type Run<Flags> = (
  context: CommandContext,
  args: readonly (string | undefined)[],
  flags: Flags,
) => Promise<number>;

/** Runs a command line and answers its exit code (contract section 7). It never throws. */
export async function runCommandLine(argv: readonly string[], around: Surroundings): Promise<number> {
  const outcome = { exitCode: 0 };
  const program = createProgram(around, outcome);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return outcome.exitCode;
  } catch (thrown) {
    return report(thrown, argv, program, around);
  }
}

async function report(
  thrown: unknown,
  argv: readonly string[],
  program: Command,
  around: Surroundings,
): Promise<number> {
  // Commander has said it already; help and version that were asked for are no failure.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const settings = settingsOf(program, around);
  const { lines, exitCode } =
    thrown instanceof SegueError
      ? describeError(thrown, settings)
      : describeFault(thrown, await wantsDetails(argv, settings, around));
  around.stderr.write(lines.map((line) => `${line}\n`).join(""));
  return exitCode;
}

/** Loaded only when there is a fault to tell of; whatever is wrong with that too, the fault itself is told. */
async function wantsDetails(
  argv: readonly string[],
  settings: string,
  around: Surroundings,
): Promise<boolean> {
  try {
    return (await import("./debugging.ts")).isDebugging(argv, settings, around.env);
  } catch {
    return false;
  }
}

function settingsOf(program: Command, around: Surroundings): string {
  const { settings } = program.opts<CommonFlags>();
  return findPaths(settings ? { settings } : {}, around.env, around.home).settings;
}

/** Every command's own code is loaded when it runs, so that none pays for another's start. */
function createProgram(around: Surroundings, outcome: { exitCode: number }): Command {
  const program = createRoot(around);
  const runs =
    <Flags>(run: Run<Flags>) =>
    async (...given: unknown[]): Promise<void> => {
      const command = given.at(-1);
      if (!(command instanceof Command)) throw new TypeError("commander did not hand over the command");
      const flags = command.optsWithGlobals<CommonFlags>();
      const args = command.processedArgs.map((arg: unknown) => (typeof arg === "string" ? arg : undefined));
      outcome.exitCode = await run(contextOf(flags, around), args, command.opts<Flags & object>());
    };
  addDaemonCommands(program, runs);
  addSettingsCommands(program, runs);
  addSessionCommands(program, runs);
  program
    .command("version")
    .description("print the version")
    .action(runs(async (context) => (await import("./version.ts")).printVersion(context)));
  return program;
}

type Runs = <Flags>(run: Run<Flags>) => (...given: unknown[]) => Promise<void>;

function createRoot(around: Surroundings): Command {
  return new Command("segue")
    .description(
      "A daemon that holds LLM sessions: their work is kept, and their settings change without losing any.",
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => around.stdout.write(text),
      writeErr: (text) => around.stderr.write(text),
      getOutHelpWidth: () => around.stdout.columns,
      getErrHelpWidth: () => around.stderr.columns,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("Try it with --help.")
    .version(version, "--version", "print the version")
    .option("--settings <file>", "the settings file (else $SEGUE_SETTINGS, else the user's)")
    .option("--data <dir>", "the data folder (else $SEGUE_DATA, else the user's)")
    .option("--url <url>", "speak to the daemon at this address instead of the socket in the data folder")
    .option("--token <token>", "the daemon's server.token, for --url (else $SEGUE_TOKEN)")
    .option("--json", "print what the API returned")
    .option("--no-color", "no colour (also with NO_COLOR set)");
}

function contextOf(flags: CommonFlags, around: Surroundings): CommandContext {
  const hasColour = wantsColour(around.stdout, flags.color, around.env);
  return {
    ...around,
    flags,
    paths: findPaths(flags, around.env, around.home),
    screen: new Screen({ stdout: around.stdout, stderr: around.stderr, hasColour }),
  };
}

function addDaemonCommands(program: Command, runs: Runs): void {
  program
    .command("serve")
    .description("run the daemon in the foreground")
    .addOption(
      new Option("--set <key=value>", "a setting that beats the file; repeatable")
        .argParser((text: string, before: string[]) => [...before, text])
        .default([], "none"),
    )
    .option("--host <host>", "the same as --set server.host=HOST")
    .option("--port <port>", "the same as --set server.port=PORT", portNumber)
    .option(
      "--strict",
      "end with exit code 5 where the settings are not valid, instead of using the last accepted ones",
    )
    .addOption(new Option("--log <format>", "form of the log").choices(["json", "text"]))
    .option("--tips", "print three commands to try")
    .action(
      runs<ServeFlags>(async (context, _args, flags) => (await import("./serve.ts")).serve(context, flags)),
    );
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
    .command("stop")
    .description("stop the daemon: turns in flight may finish, everything else is kept for the next start")
    .action(runs(async (context) => (await import("./stop.ts")).stop(context)));
  program
    .command("tour")
    .description("see it work: a daemon of its own, sixty messages, two edits, one kill, nothing lost")
    .action(runs(async (context) => (await import("./tour.ts")).tour(context)));
}

function addSettingsCommands(program: Command, runs: Runs): void {
  program
    .command("init")
    .description("write a starter settings file; it never overwrites")
    .action(runs(async (context) => (await import("./init.ts")).init(context)));
  program
    .command("check")
    .description("check a settings file without a daemon")
    .argument("[file]", "the file (else the one the daemon would use)")
    .action(runs(async (context, [file]) => (await import("./check.ts")).check(context, file)));
}

function addSessionCommands(program: Command, runs: Runs): void {
  program
    .command("send")
    .description("send a message into a session, which is made if it is new; prints the message's id")
    .argument("<session>", "id of the session")
    .argument("[text]", "the message; - or nothing reads it from standard input")
    .option("--wait <seconds>", "wait for the reply so long, and print it", waitSeconds)
    .option("--key <key>", "an Idempotency-Key: sending again with it makes no second message")
    .action(
      runs<{ wait?: number; key?: string }>(async (context, [session = "", text], flags) =>
        (await import("./send.ts")).send(context, { session, text, waitSeconds: flags.wait, key: flags.key }),
      ),
    );
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

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
  return port;
}

function waitSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds > 86_400) {
    throw new InvalidArgumentError("It must be a number of seconds from 0 to 86400.");
  }
  return seconds;
}
