import type { Command } from "commander";
import { leafNames } from "../../settings/keys.ts";

/** What can stand at a place of a command line; `nothing` where only the user knows. */
export type Candidates =
  | { kind: "words"; words: readonly string[] }
  | { kind: "files" | "folders" | "sessions" | "nothing" };

/** An option; `value` is undefined for one that takes none. */
export interface CompletedOption {
  /** With its dashes. */
  name: string;
  description: string;
  value: Candidates | undefined;
}

/** A command, as far as completing needs it. */
export interface CompletedCommand {
  name: string;
  description: string;
  options: readonly CompletedOption[];
  /** By place. */
  values: readonly { name: string; candidates: Candidates }[];
}

/** Everything that can be completed. */
export interface CompletedProgram {
  options: readonly CompletedOption[];
  commands: readonly CompletedCommand[];
}

/** With those of the providers that exist without being declared. */
const settingsKeys: Candidates = {
  kind: "words",
  words: leafNames(["claude", "gemini", "openai", "command", "echo"]),
};

/** Reads what can be completed from the commands themselves, so that it is never another than what they take. */
export function completedProgram(program: Command): CompletedProgram {
  return {
    options: optionsOf(program),
    commands: program.commands.map((command) => ({
      name: command.name(),
      description: command.description(),
      options: optionsOf(command),
      values: command.registeredArguments.map((argument) => ({
        name: argument.name(),
        candidates:
          argument.name() === "key" ? settingsKeys : candidatesOf(argument.name(), argument.argChoices),
      })),
    })),
  };
}

function optionsOf(command: Command): CompletedOption[] {
  const shown = command.options.filter(({ hidden }) => !hidden);
  return shown.map((option) => {
    const [, value] = /[<[]([^>\].]+)/.exec(option.flags) ?? [];
    return {
      name: option.long ?? option.flags,
      description: option.description,
      value: value === undefined ? undefined : candidatesOf(value, option.argChoices),
    };
  });
}

/** The name of a value in the help says what it is. */
function candidatesOf(name: string, choices: readonly string[] | undefined): Candidates {
  if (choices) return { kind: "words", words: choices };
  switch (name) {
    case "file":
    case "path":
      return { kind: "files" };
    case "dir":
    case "folder":
      return { kind: "folders" };
    case "session":
    case "id":
      return { kind: "sessions" };
    default:
      return { kind: "nothing" };
  }
}
