import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText, SegueError } from "../core/errors.ts";
import { jsonSchema } from "../settings/schema.ts";
import type { CommandContext } from "./command.ts";

/** Beside the settings file, so that an editor finds it without a network or a daemon. */
const schemaName = "settings.schema.json";

/**
 * `segue init`: writes a starter settings file (mode 0600, folders made) and beside it the JSON Schema for
 * editors. It never overwrites a settings file.
 */
export async function init({ paths, screen, flags }: CommandContext): Promise<number> {
  const folder = dirname(paths.settings);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // "wx": made by us or not at all, whoever else writes at the same time.
    writeFileSync(paths.settings, starter, { flag: "wx", mode: 0o600 });
    writeFileSync(join(folder, schemaName), `${JSON.stringify(jsonSchema(), undefined, 2)}\n`, {
      mode: 0o600,
    });
  } catch (thrown) {
    throw initError(paths.settings, thrown);
  }
  screen.answer(flags.json ? JSON.stringify({ path: paths.settings }) : `Wrote ${paths.settings}`);
  if (!flags.json)
    screen.note("Edit it as you like, also while the daemon runs; `segue check` says whether it is well.");
  return 0;
}

function initError(path: string, thrown: unknown): SegueError {
  if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") {
    return new SegueError("settings_not_writable", `${path} is there already; init never overwrites.`, {
      hint: "Edit it, or name another file with --settings.",
    });
  }
  return new SegueError("settings_not_writable", `${path} cannot be written: ${errorText(thrown)}.`, {
    cause: thrown,
  });
}

/** What `init` writes. Everything that is not a comment holds the default, so the file changes nothing by itself. */
const starter = `{
  "$schema": "./${schemaName}",

  // Settings of Segue. Comments and trailing commas are fine. The daemon reads an edit while it
  // runs: a message already with a provider is finished there, the next one goes by the new settings.
  // A file in which something is wrong changes nothing; \`segue status\` says what is wrong.

  // Who answers: a name in "providers". Five exist without being declared: "claude", "gemini",
  // "openai", "command" and "echo". "echo" needs no network and no key: it says back what it is told.
  "provider": "echo",

  "providers": {
    // Keys are read from the environment: ANTHROPIC_API_KEY, GEMINI_API_KEY and OPENAI_API_KEY.
    // Another place is named like this: "apiKey": "$MY_KEY", or "apiKey": "file:my-key.txt".
    // "claude": { "apiKey": "$MY_KEY" },

    // Any server that speaks one of these languages, under a name of your own.
    // "local": { "kind": "openai", "baseUrl": "http://127.0.0.1:11434/v1", "model": "llama3.2" },

    // Any program that reads a question from standard input and writes the answer.
    // "command": { "argv": ["my-program", "--flag"] },
  },

  // The system prompt of sessions that have none of their own.
  "turn": { "system": "" },

  // "server": { "host": "127.0.0.1", "port": 4747 },
  // "log": { "level": "info" },
}
`;
