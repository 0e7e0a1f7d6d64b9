import { type Node, parseTree } from "jsonc-parser";

/*
 * Pieces of a text of JSON with comments, put in and taken out again: what is there stays byte for byte, and taking
 * out what was put in last gives the text as it was before.
 */

/** How a text is laid out. */
export interface Layout {
  unit: string;
  lineBreak: string;
}

/** The indentation and line break that a text has, or the usual ones. */
export function layoutOf(text: string): Layout {
  return {
    unit: /[\r\n]([ \t]+)["\w]/.exec(text)?.[1] ?? "  ",
    lineBreak: /\r\n|\n|\r/.exec(text)?.[0] ?? "\n",
  };
}

/** Puts a piece behind the last child, or into an empty list or object right behind its bracket. */
export function append(text: string, container: Node, made: (indent: string) => string): string {
  const last = container.children?.at(-1);
  if (!last) return insert(text, container.offset + 1, made(indentAt(text, container.offset)));
  const indent = indentAt(text, last.offset);
  return insert(text, last.offset + last.length, `,${layoutOf(text).lineBreak}${indent}${made(indent)}`);
}

/** Takes a child out with the comma that set it apart; comments beside it stay. */
export function removeChild(text: string, child: Node): string {
  const siblings = child.parent?.children ?? [];
  const index = siblings.indexOf(child);
  const [before, after] = [siblings[index - 1], siblings[index + 1]];
  const end = child.offset + child.length;
  if (before) return removeBehind(text, before.offset + before.length, child.offset, end);
  if (after) return removeBefore(text, child.offset, end, after.offset);
  const container = child.parent ?? child;
  const comma = commaIn(text.slice(end, container.offset + container.length - 1));
  return removeOnly(comma === undefined ? text : cut(text, end + comma, end + comma + 1), child, end);
}

/** The only child of a root that was empty has the line breaks around it with which it was put in. */
function removeOnly(text: string, child: Node, end: number): string {
  const { unit, lineBreak } = layoutOf(text);
  const isRoot = child.parent?.parent === undefined;
  const start = child.offset - unit.length - lineBreak.length;
  const isMade =
    isRoot &&
    text.slice(start, child.offset) === lineBreak + unit &&
    start === (child.parent?.offset ?? 0) + 1 &&
    text.startsWith(lineBreak, end);
  return isMade ? cut(text, start, end + lineBreak.length) : cut(text, child.offset, end);
}

function removeBehind(text: string, previousEnd: number, start: number, end: number): string {
  const between = text.slice(previousEnd, start);
  if (/^\s*,\s*$/.test(between)) return cut(text, previousEnd, end);
  const comma = commaIn(between);
  const without = cut(text, start, end);
  return comma === undefined ? without : cut(without, previousEnd + comma, previousEnd + comma + 1);
}

function removeBefore(text: string, start: number, end: number, nextStart: number): string {
  const between = text.slice(end, nextStart);
  if (/^\s*,\s*$/.test(between)) return cut(text, start, nextStart);
  const comma = commaIn(between);
  const without = comma === undefined ? text : cut(text, end + comma, end + comma + 1);
  return cut(without, start, end);
}

/** The comma among white space and comments. */
function commaIn(between: string): number | undefined {
  const blank = between.replaceAll(/\/\/[^\r\n]*|\/\*[^]*?\*\//g, (comment) => " ".repeat(comment.length));
  const at = blank.indexOf(",");
  return at < 0 ? undefined : at;
}

/** The tree of a text that parses as an object; throws a `TypeError` for any other. */
export function treeOf(text: string): Node {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root?.type !== "object") throw new TypeError("only the text of an object can be changed");
  return root;
}

/** What is in a list or object; nothing where the node is something else. */
export function childrenOf(node: Node | undefined, type: "object" | "array"): readonly Node[] {
  return node?.type === type ? (node.children ?? []) : [];
}

/** The white space that the line of a place begins with. */
function indentAt(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf("\n", offset - 1), text.lastIndexOf("\r", offset - 1)) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? "";
}

/** The text with a piece at a place. */
export function insert(text: string, offset: number, piece: string): string {
  return text.slice(0, offset) + piece + text.slice(offset);
}

function cut(text: string, start: number, end: number): string {
  return text.slice(0, start) + text.slice(end);
}
