import type { Candidates, CompletedProgram } from "./tree.ts";

/**
 * A completion for bash 3.2 and later that needs nothing beside bash. The line is divided at white space by itself:
 * bash also divides at `:` and `=`, which ids and settings may hold; what it takes for the word is given back.
 */
export function bashCompletion({ options, commands }: CompletedProgram): string {
  const names = commands.map(({ name }) => name).join(" ");
  const common = options.map(({ name }) => name).join(" ");
  const ofOptions = [
    ...options.map(({ name, value }) => ({ place: `*:${name}`, value })),
    ...commands.flatMap((command) =>
      command.options.map(({ name, value }) => ({ place: `${command.name}:${name}`, value })),
    ),
  ].flatMap(({ place, value }) => (value ? [{ place, value }] : []));
  const ofPlaces = commands.flatMap(({ name, values }) =>
    values.map(({ candidates }, place) => ({ place: `${name}:${place}`, value: candidates })),
  );
  const ofCommands = commands.map(
    (command) => `      ${command.name}) words="${command.options.map(({ name }) => name).join(" ")}" ;;`,
  );
  return `# Completion of segue for bash. Put into ~/.bashrc: source <(segue completions bash)
_segue() {
  local line="\${COMP_LINE:0:COMP_POINT}" command= option= kind= words= typed word at=0 i
  local -a given
  read -ra given <<<"$line"
  case "$line" in *[[:space:]]) given+=("") ;; esac
  typed="\${given[\${#given[@]} - 1]}"
  for ((i = 1; i < \${#given[@]} - 1; i++)); do
    word="\${given[i]}"
    if [ -n "$option" ]; then
      option=
    else
      case "$command:$word" in
        ${ofOptions.map(({ place }) => place).join(" | ") || "none"}) option="$word" ;;
        *:-*) ;;
        :*) command="$word" ;;
        *) at=$((at + 1)) ;;
      esac
    fi
  done
  if [ -n "$option" ]; then
    case "$command:$option" in
${ofOptions.map(caseOf).join("\n")}
    esac
  elif [ "\${typed:0:1}" = "-" ]; then
    case "$command" in
${ofCommands.join("\n")}
    esac
    words="$words ${common}"
  elif [ -z "$command" ]; then
    words="${names}"
  else
    case "$command:$at" in
${ofPlaces.map(caseOf).join("\n")}
    esac
  fi
  local IFS=$'\\n'
  case "$kind" in
    files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$typed")) ;;
    folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$typed")) ;;
    sessions) COMPREPLY=($(compgen -W "$(segue sessions 2>/dev/null | cut -f 1)" -- "$typed")) ;;
    *) COMPREPLY=($(IFS=' ' compgen -W "$words" -- "$typed")) ;;
  esac
  word="\${COMP_WORDS[COMP_CWORD]}"
  case "$word" in : | =) word= ;; esac
  [ "\${#COMPREPLY[@]}" -eq 0 ] || COMPREPLY=("\${COMPREPLY[@]#"\${typed%"$word"}"}")
}
complete -F _segue segue
`;
}

function caseOf({ place, value }: { place: string; value: Candidates }): string {
  const what = value.kind === "words" ? `words="${value.words.join(" ")}"` : `kind=${value.kind}`;
  return `      ${place}) ${what} ;;`;
}
