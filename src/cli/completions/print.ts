import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { completedProgram } from "./tree.ts";
import { zshCompletion } from "./zsh.ts";

/** The shells for which there is a completion. */
const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** `segue completions`: prints the script for a shell, made from the commands of `program`. */
export async function printCompletions(
  { screen }: CommandContext,
  shell: keyof typeof scripts,
  program: Command,
): Promise<number> {
  screen.answer(scripts[shell](completedProgram(program)).trimEnd());
  return 0;
}
