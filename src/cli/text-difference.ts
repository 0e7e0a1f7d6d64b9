/** Lines around a change that are shown with it. */
const contextLines = 2;

interface Line {
  /** `+` new, `-` gone, a space where it stays. */
  mark: "+" | "-" | " ";
  text: string;
}

/** What changed between two texts, line by line: each with its mark, the unchanged ones only near a change. */
export function differenceLines(before: string, after: string): string[] {
  const lines = alignedLines(linesOf(before), linesOf(after));
  const isNear = (index: number): boolean =>
    lines.slice(Math.max(0, index - contextLines), index + contextLines + 1).some(({ mark }) => mark !== " ");
  const shown: string[] = [];
  let isSkipping = false;
  for (const [index, { mark, text }] of lines.entries()) {
    if (isNear(index)) shown.push(`${mark} ${text}`);
    else if (!isSkipping) shown.push("  …");
    isSkipping = !isNear(index);
  }
  return shown;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** What both begin and end with is set aside; of the rest, a longest common subsequence stays. */
function alignedLines(before: readonly string[], after: readonly string[]): Line[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (text: string): Line => ({ mark: " ", text });
  return [
    ...before.slice(0, head).map(same),
    ...middleLines(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middleLines(before: readonly string[], after: readonly string[]): Line[] {
  const lengths = commonLengths(before, after);
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh) {
      lines.push({ mark: " ", text: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && (fresh === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: "-", text: old });
      i += 1;
    } else {
      lines.push({ mark: "+", text: fresh ?? "" });
      j += 1;
    }
  }
  return lines;
}

/** Lengths of the longest common subsequence of what begins at each pair of places. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array[] {
  const rows = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--) {
      const row = rows[i];
      const next = rows[i + 1];
      if (!row || !next) continue;
      row[j] = before[i] === after[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0);
    }
  return rows;
}
