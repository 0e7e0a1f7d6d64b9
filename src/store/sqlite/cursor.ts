import { SegueError } from "../../core/errors.ts";

/** The position in a list as opaque text. */
export function encodeCursor(position: number): string {
  return btoa(`n${position}`).replaceAll("=", "");
}

/** The position that `encodeCursor` made; throws `malformed` for any other text. */
export function decodeCursor(cursor: string): number {
  let text = "";
  try {
    text = atob(cursor);
  } catch {
    // Not base 64: refused below like any other text that is no cursor.
  }
  if (!/^n\d{1,15}$/.test(text))
    throw new SegueError("malformed", "cursor is not one that a list returned", {
      hint: "take it from `next` of the page before",
    });
  return Number(text.slice(1));
}
