/*
 * What a user marks as private never reaches the store: it is taken out before anything else is done with a text. In
 * doubt text is dropped, not kept:
 * 1. a tag that is never closed hides everything behind it,
 * 2. a closing tag without an opening one hides everything before it: the text was cut out of a longer one,
 * 3. tags nest: the outermost pair counts,
 * 4. a tag counts in any case, with attributes, and as JSON and HTML escape it.
 */

/** A `<` as it is, or escaped as JSON encoders (once or several times over) and HTML do. */
const open = String.raw`(?:<|\\{1,8}u003c|&lt;)`;
const tag = new RegExp(
  String.raw`${open}(\\{0,8}/)?\s{0,8}private\b[^<>&\\\0]{0,256}(?:>|\\{1,8}u003e|&gt;)`,
  "gi",
);
/** Stands between two texts; no tag reaches over it. */
const border = "\0";

/**
 * The texts without what stands between `<private>` tags. They are read as one text in this order: a tag that opens in
 * one of them and closes in another (lines of a file, say) hides what is between.
 */
export function withoutPrivate(texts: readonly string[]): string[] {
  const whole = texts.join(border);
  const hidden = hiddenParts(whole);
  if (hidden.length === 0) return [...texts];
  let start = 0;
  let next = 0;
  return texts.map((text) => {
    const end = start + text.length;
    let kept = "";
    let at = start;
    // A part may go on in the next text: it is left behind only when it ends here.
    for (;;) {
      const part = hidden[next];
      if (!part || part.from >= end) break;
      kept += whole.slice(at, Math.max(at, part.from));
      at = Math.max(at, Math.min(part.to, end));
      if (part.to > end) break;
      next += 1;
    }
    kept += whole.slice(at, end);
    start = end + border.length;
    return kept;
  });
}

interface Part {
  from: number;
  to: number;
}

function hiddenParts(whole: string): Part[] {
  const parts: Part[] = [];
  let depth = 0;
  let from = 0;
  for (const found of whole.matchAll(tag)) {
    const end = found.index + found[0].length;
    if (found[1] === undefined) {
      if (depth === 0) from = found.index;
      depth += 1;
    } else if (depth === 0) {
      // Rule 2: whatever was kept before it goes too.
      parts.splice(0, parts.length, { from: 0, to: end });
    } else {
      depth -= 1;
      if (depth === 0) parts.push({ from, to: end });
    }
  }
  if (depth > 0) parts.push({ from, to: whole.length });
  return parts;
}
