import type { Candidates, CompletedCommand, CompletedOption, CompletedProgram } from "./tree.ts";

/** A completion for zsh, to be sourced, or to lie as `_segue` in a folder of `$fpath`. */
export function zshCompletion({ options, commands }: CompletedProgram): string {
  const common = options.map(optionSpec);
  return `#compdef segue
# Completion of segue for zsh. Put into ~/.zshrc after compinit: source <(segue completions zsh)
_segue_sessions() {
  local -a sessions
  sessions=(\${(f)"$(segue sessions 2>/dev/null | cut -f 1)"})
  compadd -a sessions
}
_segue() {
  local state line
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(":", "\\:")}`)}`).join("\n")}
  )
  _arguments -C \\
${common.map((spec) => `    ${spec} \\`).join("\n")}
    '1: :->command' '*:: :->given'
  case "$state" in
    command) _describe command commands ;;
    given)
      case "\${words[1]}" in
${commands.map((command) => commandCase(command, common)).join("\n")}
      esac
      ;;
  esac
}
if [ "\${funcstack[1]}" = "_segue" ]; then _segue "$@"; else compdef _segue segue; fi
`;
}

function commandCase({ name, options, values }: CompletedCommand, common: readonly string[]): string {
  const specs = [
    ...options.map(optionSpec),
    ...values.map((value, place) =>
      quoted(`${place + 1}:${plain(value.name)}:${actionOf(value.candidates)}`),
    ),
    ...common,
  ];
  return `        ${name}) _arguments ${specs.join(" ")} ;;`;
}

function optionSpec({ name, description, value }: CompletedOption): string {
  const said = `[${plain(description)}]`;
  return quoted(value ? `${name}${said}:value:${actionOf(value)}` : `${name}${said}`);
}

function actionOf(candidates: Candidates): string {
  switch (candidates.kind) {
    case "words":
      return `(${candidates.words.join(" ")})`;
    case "files":
      return "_files";
    case "folders":
      return "_files -/";
    case "sessions":
      return "_segue_sessions";
    case "nothing":
      return " ";
  }
}

/** Without what divides the parts of a spec. */
function plain(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
