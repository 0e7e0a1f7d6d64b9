import type { Command } from "commander";

/** Examples of each command, as one would type them; what stands behind `#` says what they are for. */
export const helpExamples: Readonly<Record<string, readonly string[]>> = {
  serve: ["segue serve", "segue serve --port 0 --set turn.maxAttempts=3 --log json"],
  init: ["segue init", "segue init --settings ./settings.json"],
  check: ["segue check", "segue check ./settings.json && cp ./settings.json ~/.config/segue/"],
  plan: [
    "segue plan",
    "segue plan ./new-settings.json   # what it would change in the place of the present one",
  ],
  apply: ["segue apply"],
  reload: ["segue reload"],
  release: ["segue release"],
  get: ["segue get", "segue get turn.maxAttempts", "segue get providers.claude --json"],
  set: [
    "segue set provider gemini",
    "segue set turn.maxAttempts 3 --dry-run",
    "segue set providers.claude.apiKey 'file:~/.secrets/claude'",
  ],
  unset: ["segue unset turn.maxAttempts"],
  history: ["segue history", "segue history --json"],
  rollback: ["segue history && segue rollback 12"],
  migrate: ["segue migrate", "segue migrate --settings ~/.claude-mem/settings.json --out ./settings.json"],
  schema: ["segue schema > settings.schema.json"],
  status: ["segue status", "segue status --watch", "segue status --json | jq .status.held"],
  sessions: ["segue sessions", "segue sessions notes"],
  send: [
    "segue send notes 'Hello, Segue'",
    "segue send notes 'Are you there?' --wait 30",
    "segue send notes - < letter.txt",
    "segue send notes 'Only once' --key order-17",
    "segue send notes --lines < questions.txt",
  ],
  tail: ["segue tail", "segue tail notes --json"],
  cancel: ["segue cancel msg_1m7z93jarjn65nkrkpy2q"],
  retry: ["segue retry msg_1m7z93jarjn65nkrkpy2q", "segue retry --session notes"],
  rm: ["segue rm notes"],
  restart: ["segue restart", "segue restart notes"],
  stop: ["segue stop"],
  checkpoint: ["segue checkpoint > checkpoint.json", "segue checkpoint --out checkpoint.json"],
  restore: ["segue restore checkpoint.json --data ~/new-data"],
  dev: ["segue dev", "segue dev --watch ./plugins --port 4800"],
  tour: ["segue tour"],
  connect: [
    "segue connect claude-code",
    "segue connect claude-code --print",
    "segue connect claude-code --remove",
  ],
  hook: ["segue hook claude-code   # the agent runs it, with its event on standard input"],
  memory: ["segue memory", "segue memory ~/projects/segue"],
  completions: [
    "source <(segue completions bash)",
    "segue completions fish > ~/.config/fish/completions/segue.fish",
  ],
  examples: ["segue examples", "segue examples rotate-key.sh > rotate-key.sh"],
  version: ["segue version", "segue version --json"],
};

/** Gives every command's help its examples. */
export function addHelpExamples(program: Command): void {
  for (const command of program.commands) {
    const lines = helpExamples[command.name()];
    if (lines) command.addHelpText("after", `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`);
  }
}
