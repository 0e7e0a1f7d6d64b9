/** The files that `segue examples` prints, and what each is. */
export const examples = {
  "install.sh": "installs an archive: verifies its sum, puts program and completions in their places",
  "segue.service": "a hardened systemd unit for a whole machine",
  "segue-user.service": "a systemd unit for one user",
  Containerfile: "a container",
  "alerts.yml": "alert rules for Prometheus",
  "chat.sh": "a chat from a shell: each line a message, its reply waited for",
  "git-log.sh": "what happened in a repository, summarised",
  "watch-events.sh": "what happens, one line an event, resumed where it was",
  "coding-agent.sh": "Claude Code connected, its work summarised and remembered",
  "two-providers.jsonc": "settings: Ollama on this machine, OpenRouter while that is away",
  "rotate-key.sh": "a new key for a provider, put into the file that the settings refer to",
  "from-claude-mem.sh": "claude-mem's settings taken over",
} as const satisfies Record<string, string>;

/** A file that `segue examples` prints. */
export type ExampleName = keyof typeof examples;

/** All of them, in the order in which they are listed. */
export const exampleNames = Object.keys(examples).filter(isExampleName);

/** Whether there is an example of this name. */
export function isExampleName(name: string): name is ExampleName {
  return Object.hasOwn(examples, name);
}
