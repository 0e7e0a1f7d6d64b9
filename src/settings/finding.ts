import type { Problem } from "../core/errors.ts";

/** A problem while its place is still an offset into the text; null where it stands in no text. */
export interface Finding {
  path: string;
  message: string;
  offset: number | null;
}

/** More problems than a person can use; of a file that has more the first are shown. */
export const maxProblems = 200;
const longestName = 64;
const longestValue = 60;

/** Findings as problems, in the order of the text, what stands in no text last; those beyond `maxProblems` in one. */
export function placeFindings(findings: readonly Finding[], text: string): Problem[] {
  const lines = lineStarts(text);
  const sorted = [...findings].sort((a, b) => place(a) - place(b));
  const problems = sorted.slice(0, maxProblems).map((finding) => placeFinding(finding, lines));
  const left = sorted[maxProblems];
  if (!left) return problems;
  const message = `there are more problems; the first ${maxProblems} are shown`;
  return [...problems, placeFinding({ ...left, path: "", message }, lines)];
}

function place({ offset }: Finding): number {
  return offset ?? Number.MAX_SAFE_INTEGER;
}

function placeFinding({ path, message, offset }: Finding, lines: readonly number[]): Problem {
  if (offset === null) return { path, message };
  const line = lineOf(offset, lines);
  return { path, message, line: line + 1, column: offset - (lines[line] ?? 0) + 1 };
}

/** Offsets at which lines begin; a line ends with \n, \r\n or \r, as editors count. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (const { index, 0: lineBreak } of text.matchAll(/\r\n?|\n/g)) starts.push(index + lineBreak.length);
  return starts;
}

function lineOf(offset: number, lines: readonly number[]): number {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lines[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A key or name as messages may show it: bounded, control characters escaped. */
export function nameText(name: string | number): string {
  return printable(shorten(String(name), longestName));
}

/** A value as messages may show it: bounded JSON, control characters escaped. */
export function valueText(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? JSON.stringify(shorten(value, longestValue)) : String(value);
  return printable(text);
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** Keeps what is quoted from a file from steering the terminal it is printed on. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
