/**
 * Deno's SQLite reads a text only up to its first NUL (Deno 2.9.6, measured; it writes the whole of it). A text that
 * holds one is kept escaped: a NUL as the mark and "0", the mark itself twice. The mark is a code point that Unicode
 * reserves for use inside a program (a noncharacter).
 */
const mark = "\u{FFFFE}";

/** The text as it is kept: as it is, unless it holds a NUL or the mark. */
export function withoutNul(text: string): string {
  if (!text.includes("\0") && !text.includes(mark)) return text;
  return text.replaceAll(mark, mark + mark).replaceAll("\0", `${mark}0`);
}

/** The text that was given to `withoutNul`. A mark that it did not write stays as it is. */
export function unescaped(text: string): string {
  if (!text.includes(mark)) return text;
  return text.replaceAll(/\u{FFFFE}([0\u{FFFFE}])/gu, (_pair, kept: string) => (kept === "0" ? "\0" : kept));
}
