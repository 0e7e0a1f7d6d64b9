import type { Command } from "commander";
import type { Runs } from "./run.ts";

/** The commands about coding agents. */
export function addAgentCommands(program: Command, runs: Runs): void {
  program
    .command("connect")
    .description(
      "have a coding agent tell the daemon of its work: shows the change of its settings, then makes it",
    )
    .argument("<agent>", "claude-code")
    .option("--print", "show the change, and change nothing")
    .option("--remove", "take out what connect put in, and nothing else")
    .action(
      runs<{ print?: boolean; remove?: boolean }>(async (context, [agent = ""], { print, remove }) =>
        (await import("./connect.ts")).connect(context, {
          agent,
          isPrint: print === true,
          isRemove: remove === true,
        }),
      ),
    );
  program
    .command("hook")
    .description("what a coding agent runs when it starts: prints what is remembered of its project")
    .argument("<agent>", "claude-code")
    .action(runs(async (context, [agent = ""]) => (await import("./hook.ts")).runHook(context, agent)));
  program
    .command("memory")
    .description("the summaries of coding agents' work in a project, newest first")
    .argument("[project]", "the project's folder (else the current one)")
    .action(runs(async (context, [project]) => (await import("./memory.ts")).showMemory(context, project)));
}
