import type { Candidates, CompletedOption, CompletedProgram } from "./tree.ts";

/** A completion for fish. */
export function fishCompletion({ options, commands }: CompletedProgram): string {
  const lines = [
    "# Completion of segue for fish. Put into ~/.config/fish/config.fish: segue completions fish | source",
    "function __segue_sessions",
    "    segue sessions 2>/dev/null | cut -f 1",
    "end",
    "complete -c segue -f",
    ...options.map((option) => `complete -c segue${optionOf(option)}`),
  ];
  for (const { name, description, options: own, values } of commands) {
    const isGiven = `-n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c segue -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`);
    lines.push(...own.map((option) => `complete -c segue ${isGiven}${optionOf(option)}`));
    for (const { candidates } of values) {
      const offered = offeredOf(candidates);
      if (offered !== "") lines.push(`complete -c segue ${isGiven}${offered}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function optionOf({ name, description, value }: CompletedOption): string {
  const takes = value ? ` -x${offeredOf(value)}` : "";
  return ` -l ${name.replace(/^--/, "")}${takes} -d ${quoted(description)}`;
}

function offeredOf(candidates: Candidates): string {
  switch (candidates.kind) {
    case "words":
      return ` -a ${quoted(candidates.words.join(" "))}`;
    case "files":
      return " -a '(__fish_complete_path)'";
    case "folders":
      return " -a '(__fish_complete_directories)'";
    case "sessions":
      return " -a '(__segue_sessions)'";
    case "nothing":
      return "";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
