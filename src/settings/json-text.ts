import {
  applyEdits,
  createScanner,
  type Edit,
  findNodeAtLocation,
  getNodeValue,
  type Node,
  parseTree,
} from "jsonc-parser";

import { render, renderInline, type Style } from "./json-layout.ts";

/*
 * Changes of one value in a text of JSON with comments. Whatever they do not concern stays as it is, byte for byte:
 * comments, white space, trailing commas, the way a number or a text is written. jsonc-parser's own `modify` takes
 * away comments beside a removed property and moves those beside the last one; here every comment stays in its line.
 */

/** A place in a text: names of properties, indices of items. */
export type JsonPath = readonly (string | number)[];

const defaultIndent = "  ";

/** What follows a property or item. */
interface Tail {
  comma: number | undefined;
  /** Where something new may stand. */
  place: number;
  hasLineComment: boolean;
}

/** The text with `value` at `path`; objects on the way are made. `text` has to be an object that parses. */
export function setInText(text: string, path: JsonPath, value: unknown): string {
  const root = treeOf(text);
  const found = findNodeAtLocation(root, [...path]);
  if (found?.type === "array" && Array.isArray(value)) return alignItems(text, path, value);
  const depth = found ? path.length - 1 : deepestObject(root, path);
  const [name = "", ...rest] = path.slice(depth);
  const nested = rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const present = found ?? findNodeAtLocation(root, path.slice(0, depth + 1));
  return present
    ? replaceNode(text, present, nested)
    : addProperty(text, root, path.slice(0, depth), name, nested);
}

function replaceNode(text: string, { offset, length }: Node, value: unknown): string {
  return applyEdits(text, [
    { offset, length, content: render(value, styleOf(text), indentAt(text, offset)) },
  ]);
}

function addProperty(
  text: string,
  root: Node,
  path: readonly (string | number)[],
  name: string | number,
  value: unknown,
): string {
  const style = styleOf(text);
  const object = findNodeAtLocation(root, [...path]) ?? root;
  const made = (indent: string, isInline: boolean): string =>
    `${JSON.stringify(String(name))}: ${isInline ? renderInline(value) : render(value, style, indent)}`;
  return append(text, object, object.children?.at(-1), made, style);
}

/** The text without the property or item at `path`; the same text where there is none. */
export function removeFromText(text: string, path: JsonPath): string {
  const value = findNodeAtLocation(treeOf(text), [...path]);
  const child = value?.parent?.type === "property" ? value.parent : value;
  return child?.parent ? removeChild(text, child.parent, child) : text;
}

function treeOf(text: string): Node {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root?.type !== "object") throw new TypeError("only the text of an object can be changed");
  return root;
}

/** How many steps of `path` lead through objects. */
function deepestObject(root: Node, path: JsonPath): number {
  let depth = path.length - 1;
  while (depth > 0 && findNodeAtLocation(root, path.slice(0, depth))?.type !== "object") depth -= 1;
  return depth;
}

/** Makes a list have these items; those that stay keep their text and the comments beside them. */
function alignItems(before: string, path: JsonPath, items: readonly unknown[]): string {
  let text = before;
  for (const [index, item] of items.entries()) text = alignItem(text, path, items, index, item);
  for (let count = itemCount(text, path); count > items.length; count--)
    text = removeFromText(text, [...path, count - 1]);
  return text;
}

/** One step of `alignItems`: the items before `index` are right already. */
function alignItem(
  text: string,
  path: JsonPath,
  items: readonly unknown[],
  index: number,
  item: unknown,
): string {
  const list = findNodeAtLocation(treeOf(text), [...path]);
  const old = list?.children ?? [];
  const present = old[index];
  if (!list || (present && getNodeValue(present) === item)) return text;
  const isNew = old.length < items.length && isValue(present, items[index + 1]);
  if (!present || (isNew && index > 0)) {
    const made = (indent: string, isInline: boolean): string =>
      isInline ? renderInline(item) : render(item, styleOf(text), indent);
    return append(text, list, old[index - 1], made, styleOf(text));
  }
  // An item that goes takes its own place out, so that those behind it keep theirs.
  if (old.length > items.length && isValue(old[index + 1], item))
    return removeFromText(text, [...path, index]);
  return applyEdits(text, [{ offset: present.offset, length: present.length, content: renderInline(item) }]);
}

function isValue(node: Node | undefined, value: unknown): boolean {
  return node !== undefined && getNodeValue(node) === value;
}

function itemCount(text: string, path: JsonPath): number {
  return findNodeAtLocation(treeOf(text), [...path])?.children?.length ?? 0;
}

/** Puts something new behind `last`, the present end of an object or list, or into an empty one. */
function append(
  text: string,
  container: Node,
  last: Node | undefined,
  made: (indent: string, isInline: boolean) => string,
  style: Style,
): string {
  if (!last) return fill(text, container, made, style);
  const end = last.offset + last.length;
  const { comma, place, hasLineComment } = tailOf(text, end);
  const isInline = !/[\r\n]/.test(text.slice(container.offset, last.offset)) && !hasLineComment;
  const indent = indentAt(text, last.offset);
  const before = isInline ? " " : style.lineBreak + indent;
  const content = before + made(indent, isInline) + (comma === undefined ? "" : ",");
  const added = { offset: place, length: 0, content };
  const separator = { offset: end, length: 0, content: "," };
  return applyEdits(text, comma === undefined ? [separator, added] : [added]);
}

function fill(
  text: string,
  container: Node,
  made: (indent: string, isInline: boolean) => string,
  { indent: unit, lineBreak }: Style,
): string {
  const start = container.offset + 1;
  const inner = text.slice(start, container.offset + container.length - 1);
  const outer = indentAt(text, container.offset);
  const kept = inner.trimEnd();
  const isInline = container.type === "array" ? kept === "" : /^[ \t]+$/.test(inner);
  if (isInline) {
    const space = container.type === "array" ? "" : " ";
    return applyEdits(text, [
      { offset: start, length: inner.length, content: space + made(outer, true) + space },
    ]);
  }
  const content = `${kept}${lineBreak}${outer}${unit}${made(outer + unit, false)}${lineBreak}${outer}`;
  return applyEdits(text, [{ offset: start, length: inner.length, content }]);
}

/** What follows a property or item: its comma, and the end of the comments that stand beside it in its line. */
function tailOf(text: string, end: number): Tail {
  const comma = commaAfter(text, end);
  const tail: Tail = { comma, place: comma === undefined ? end : comma + 1, hasLineComment: false };
  while (!tail.hasLineComment) {
    const [beside] = /^[ \t]*(\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/)/.exec(text.slice(tail.place)) ?? [];
    if (beside === undefined) break;
    tail.place += beside.length;
    tail.hasLineComment = beside.trimStart().startsWith("//");
  }
  return tail;
}

/** The comma that follows, whatever comments stand before it. */
function commaAfter(text: string, end: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(end);
  scanner.scan();
  return text[scanner.getTokenOffset()] === "," ? scanner.getTokenOffset() : undefined;
}

function removeChild(text: string, container: Node, child: Node): string {
  const end = child.offset + child.length;
  const comma = commaAfter(text, end);
  if (comma !== undefined) {
    const isAdjacent = text.slice(end, comma).trim() === "";
    if (isAdjacent) return applyEdits(text, [widen(text, child.offset, comma + 1)]);
    return applyEdits(text, [widen(text, child.offset, end), { offset: comma, length: 1, content: "" }]);
  }
  const before = container.children?.[container.children.indexOf(child) - 1];
  const separator = before && commaAfter(text, before.offset + before.length);
  const edits = separator === undefined ? [] : [{ offset: separator, length: 1, content: "" }];
  return applyEdits(text, [...edits, widen(text, child.offset, end)]);
}

/** Takes out a piece, and with it the line or the spaces that only it filled. */
function widen(text: string, start: number, end: number): Edit {
  const lineStart = start - spaceBefore(text, start).length;
  const isLineStart = lineStart === 0 || /[\r\n]/.test(text[lineStart - 1] ?? "");
  const [after = "", lineBreak] = /^[ \t]*(\r\n|\n|\r)?/.exec(text.slice(end)) ?? [];
  const next = end + after.length;
  const from = (first: number, last: number): Edit => ({ offset: first, length: last - first, content: "" });
  // 1. A line of its own goes as a whole. 2. What stands behind in the line moves up. 3. Nothing does.
  if (isLineStart && lineBreak !== undefined) return from(lineStart, next);
  if (lineBreak === undefined && !/[}\]]/.test(text[next] ?? "")) return from(start, next);
  return from(lineStart, end);
}

function styleOf(text: string): Style {
  const lineBreak = /\r\n|\n|\r/.exec(text)?.[0] ?? "\n";
  const indent = /[\r\n]([ \t]+)["\w]/.exec(text)?.[1] ?? defaultIndent;
  return { indent, lineBreak };
}

/** The white space that the line of a place begins with. */
function indentAt(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf("\n", offset - 1), text.lastIndexOf("\r", offset - 1)) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? "";
}

/** The spaces right before a place. */
function spaceBefore(text: string, offset: number): string {
  let start = offset;
  while (start > 0 && /[ \t]/.test(text[start - 1] ?? "")) start -= 1;
  return text.slice(start, offset);
}
