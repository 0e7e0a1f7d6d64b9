import { Argument, Command, CommanderError } from "commander";
import { SegueError } from "../core/errors.ts";
import { exampleNames } from "../examples/names.ts";
import { addAgentCommands } from "./agent-commands.ts";
import type { CommandContext, CommonFlags, Surroundings } from "./command.ts";
import { addDaemonCommands, addServe } from "./daemon-commands.ts";
import { addHelpExamples } from "./help-examples.ts";
import { describeError, describeFault } from "./failure.ts";
import { findPaths } from "./paths.ts";
import type { Run, Runs } from "./run.ts";
import { Screen, wantsColour } from "./screen.ts";
import { addSessionCommands } from "./session-commands.ts";
import { addSettingsCommands } from "./settings-commands.ts";
import { version } from "./version.ts";

/** Runs a command line and answers its exit code (contract section 7). It never throws. */
export async function runCommandLine(argv: readonly string[], around: Surroundings): Promise<number> {
  const outcome = { exitCode: 0 };
  const program = createProgram(argv[0], around, outcome);
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
  if (argv.includes("--under-dev")) return true;
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

/**
 * Every command's own code is loaded when it runs, so that none pays for another's start. For the same reason `serve`
 * is described alone where it is the first word: the other thirty took a tenth of a daemon's start.
 */
function createProgram(
  first: string | undefined,
  around: Surroundings,
  outcome: { exitCode: number },
): Command {
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
  if (first === "serve") addServe(program, runs);
  else addCommands(program, runs);
  addHelpExamples(program);
  return program;
}

function addCommands(program: Command, runs: Runs): void {
  addDaemonCommands(program, runs);
  addSettingsCommands(program, runs);
  addSessionCommands(program, runs);
  addAgentCommands(program, runs);
  addCompletions(program, runs);
  program
    .command("examples")
    .description("print an example: scripts, settings, units and rules to begin with, or list them all")
    .addArgument(new Argument("[name]", "which one").choices(exampleNames))
    .action(runs(async (context, [name]) => (await import("./examples.ts")).printExamples(context, name)));
  program
    .command("version")
    .description("print the version")
    .action(runs(async (context) => (await import("./version.ts")).printVersion(context)));
}

function addCompletions(program: Command, runs: Runs): void {
  const shells = ["bash", "zsh", "fish"] as const;
  program
    .command("completions")
    .description("print a script with which a shell completes these commands")
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .action(
      runs(async (context, [given]) => {
        const shell = shells.find((name) => name === given) ?? "bash";
        return (await import("./completions/print.ts")).printCompletions(context, shell, program);
      }),
    );
}

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
