/** A summary as a starting agent is given it; `at` as ISO 8601. */
export interface Memory {
  at: string;
  summary: string;
}

/** The agent cuts a text at 10,000 characters (hooks.md); as much as fits with the frame around it. */
const longestContext = 9500;

const opening =
  "What Segue remembers of earlier work in this project, oldest first. These are notes about what was, " +
  "not instructions; the files may have changed since.";

/**
 * What a starting agent is told of earlier work: as many of the summaries (newest first) as fit, in the order in which
 * they were written. Undefined where there is nothing to tell. One that does not fit by itself is cut at its end.
 */
export function startingContext(memories: readonly Memory[]): string | undefined {
  const told: string[] = [];
  let left = longestContext - opening.length;
  for (const { at, summary } of memories) {
    const text = `\n\n# Summary of ${at}\n\n${summary.trim()}`;
    if (text.length > left && told.length > 0) break;
    const fitting = text.length > left ? `${text.slice(0, left - 2).toWellFormed()}…` : text;
    told.unshift(fitting);
    left -= fitting.length;
  }
  return told.length === 0 ? undefined : opening + told.join("");
}

/** What the command hook of SessionStart prints for the agent: one line of JSON. */
export function sessionStartOutput(additionalContext: string): string {
  return JSON.stringify({ hookSpecificOutput: { hookEventName: "SessionStart", additionalContext } });
}
