import { errorText, type ErrorCode, type Problem, type SegueError } from "../core/errors.ts";

/** What a failed command says on standard error, and its exit code. */
export interface FailureReport {
  lines: string[];
  exitCode: number;
}

/** Errors whose problems are in the settings file. */
const ofSettings: ReadonlySet<ErrorCode> = new Set([
  "settings_invalid",
  "settings_file_invalid",
  "legacy_settings",
]);

/** Whether the problems of an error with this code are in the settings file. */
export function isOfSettings(code: ErrorCode): boolean {
  return ofSettings.has(code);
}

/**
 * What to say about an expected error: what, where and the way out. `settingsPath` is the file that it may be about
 * where it names none itself.
 */
export function describeError(error: SegueError, settingsPath: string): FailureReport {
  const problems = (error.problems ?? []).map((problem) =>
    isOfSettings(error.code)
      ? problemLine(problem, error.file ?? settingsPath)
      : `${problem.path}: ${problem.message}`,
  );
  return {
    lines: [`segue: ${error.message}`, ...problems, ...(error.hint ? [sentence(error.hint)] : [])],
    exitCode: error.exitCode,
  };
}

/** What to say about anything else: one sentence, and the stack only where `isDebugging`. */
export function describeFault(thrown: unknown, isDebugging: boolean): FailureReport {
  const said = `segue: something failed that should not: ${placedText(thrown)}`;
  const parts = thrown instanceof AggregateError ? thrown.errors.map(placedText) : [];
  const trace = thrown instanceof Error ? thrown.stack : undefined;
  return { lines: [said, ...parts, ...(isDebugging && trace !== undefined ? [trace] : [])], exitCode: 1 };
}

/** Source that does not parse, run by Bun from its files, is a fault without a stack, but with a place. */
function placedText(thrown: unknown): string {
  const text = errorText(thrown);
  if (!(thrown instanceof Error) || !("position" in thrown)) return text;
  const { position } = thrown;
  if (typeof position !== "object" || position === null) return text;
  if (!("file" in position && "line" in position && "column" in position)) return text;
  return `${String(position.file)}:${String(position.line)}:${String(position.column)}: ${text}`;
}

/** A hint as a line of its own. */
function sentence(hint: string): string {
  const text = hint.charAt(0).toUpperCase() + hint.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** A problem as `FILE:LINE:COLUMN: message`; one that has no place in the file, without the place. */
export function problemLine(problem: Problem, file: string): string {
  if (problem.line === undefined) return `${file}: ${problem.message}`;
  return `${file}:${problem.line}:${problem.column ?? 1}: ${problem.message}`;
}
