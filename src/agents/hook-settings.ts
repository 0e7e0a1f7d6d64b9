import { findNodeAtLocation, getNodeValue, type Node, parseTree } from "jsonc-parser";
import { agentName } from "./claude-code.ts";
import { isEventObject } from "./content.ts";

/*
 * Our hooks in the agent's settings, as changes of the text: what is there stays byte for byte, comments and white
 * space included, and taking the hooks out again gives the text as it was before. For that, everything is put in as
 * one piece behind what is there, and a list or object that was there and empty is told from one that was made: in
 * the former our piece follows the bracket at once, in the latter in a line of its own.
 */

/** A handler of the agent's settings. */
export type Handler = Readonly<Record<string, unknown>>;
/** Our handler for each event. */
export type Hooks = Readonly<Record<string, Handler>>;

/** What keeps hooks from being put in; `offset` is its place in the text. */
export interface Obstacle {
  message: string;
  offset: number;
}

/** Handlers that reach a daemon at `url`; `tokenVariable` names the environment variable that holds its token. */
export function hooksFor(url: string, tokenVariable: string | undefined, command: string): Hooks {
  const access =
    tokenVariable === undefined
      ? {}
      : { headers: { Authorization: `Bearer $${tokenVariable}` }, allowedEnvVars: [tokenVariable] };
  const http = { type: "http", url: `${url}/hooks/${agentName}`, ...access, timeout: 5 };
  return {
    UserPromptSubmit: http,
    PostToolUse: http,
    PostToolUseFailure: http,
    Stop: http,
    SessionEnd: http,
    SessionStart: { type: "command", command, timeout: 5 },
  };
}

/** What is in the way of hooks in a text that parses as an object; undefined where nothing is. */
export function obstacleIn(text: string, events: readonly string[]): Obstacle | undefined {
  const root = treeOf(text);
  const hooks = propertiesNamed(root, "hooks");
  if (hooks.length > 1) return { message: "hooks is given twice", offset: hooks[1]?.offset ?? 0 };
  const object = hooks[0]?.children?.[1];
  if (!object) return undefined;
  if (object.type !== "object") return { message: "hooks has to be an object", offset: object.offset };
  for (const event of events) {
    const [first, second] = propertiesNamed(object, event);
    if (second) return { message: `hooks.${event} is given twice`, offset: second.offset };
    const list = first?.children?.[1];
    if (list && list.type !== "array")
      return { message: `hooks.${event} has to be a list`, offset: list.offset };
  }
  return undefined;
}

/** The text with our hooks in it; the same text where they are there already. Needs a text without obstacles. */
export function withHooks(text: string, hooks: Hooks): string {
  if (hasExactly(text, hooks)) return text;
  return Object.entries(hooks).reduce(
    (now, [event, handler]) => addGroup(now, event, `{ "hooks": [${JSON.stringify(handler)}] }`),
    withoutHooks(text),
  );
}

/** The text without our hooks: what `withHooks` put in, wherever it is now; the same text where there are none. */
export function withoutHooks(text: string): string {
  let now = text;
  for (;;) {
    // The last first: each stands behind what was there when it was put in.
    const ours = handlersIn(now)
      .filter(({ node }) => isOurs(getNodeValue(node)))
      .at(-1);
    if (!ours) return now;
    now = remove(now, ours.node);
  }
}

/** This program under its name, or run from its source. */
const ownCommand = /(^|[/\\\s'"])(segue[^\s/'"]*|main\.ts)['"]?\s+hook\s+claude-code(\s|$)/;

/** Whether a handler is one that `hooksFor` makes, whatever its address and program. */
function isOurs(handler: unknown): boolean {
  if (!isEventObject(handler)) return false;
  if (handler["type"] === "http")
    return typeof handler["url"] === "string" && handler["url"].endsWith(`/hooks/${agentName}`);
  const { type, command } = handler;
  return type === "command" && typeof command === "string" && ownCommand.test(command);
}

function hasExactly(text: string, hooks: Hooks): boolean {
  const ours = handlersIn(text).filter(({ node }) => isOurs(getNodeValue(node)));
  const shown = (event: string, handler: unknown): string => JSON.stringify([event, handler]);
  const found = ours.map(({ event, node }) => shown(event, getNodeValue(node))).toSorted();
  const wanted = Object.entries(hooks).map(([event, handler]) => shown(event, handler));
  return JSON.stringify(found) === JSON.stringify(wanted.toSorted());
}

/** Every handler of every event, in the order of the text. */
function handlersIn(text: string): { event: string; node: Node }[] {
  const hooks = findNodeAtLocation(treeOf(text), ["hooks"]);
  return childrenOf(hooks, "object").flatMap((property) => {
    const [name, groups] = property.children ?? [];
    return childrenOf(groups, "array")
      .flatMap((group) => childrenOf(findNodeAtLocation(group, ["hooks"]), "array"))
      .map((node) => ({ event: String(name?.value), node }));
  });
}

function addGroup(text: string, event: string, group: string): string {
  const layout = layoutOf(text);
  const root = treeOf(text);
  const hooks = findNodeAtLocation(root, ["hooks"]);
  const groups = hooks && findNodeAtLocation(hooks, [event]);
  if (groups) return append(text, groups, () => group);
  const list = (indent: string): string =>
    `${JSON.stringify(event)}: ${wrapped("[", group, "]", indent, layout)}`;
  if (hooks) return append(text, hooks, list);
  const object = (indent: string): string =>
    `"hooks": ${wrapped("{", list(indent + layout.unit), "}", indent, layout)}`;
  if (childrenOf(root, "object").length > 0) return append(text, root, object);
  const { lineBreak, unit } = layout;
  return insert(text, root.offset + 1, lineBreak + unit + object(unit) + lineBreak);
}

interface Layout {
  unit: string;
  lineBreak: string;
}

function layoutOf(text: string): Layout {
  return {
    unit: /[\r\n]([ \t]+)["\w]/.exec(text)?.[1] ?? "  ",
    lineBreak: /\r\n|\n|\r/.exec(text)?.[0] ?? "\n",
  };
}

function wrapped(open: string, inner: string, close: string, indent: string, layout: Layout): string {
  const { lineBreak, unit } = layout;
  return open + lineBreak + indent + unit + inner + lineBreak + indent + close;
}

/** Puts a piece behind the last child, or into an empty list or object right behind its bracket. */
function append(text: string, container: Node, made: (indent: string) => string): string {
  const last = container.children?.at(-1);
  if (!last) return insert(text, container.offset + 1, made(indentAt(text, container.offset)));
  const indent = indentAt(text, last.offset);
  return insert(text, last.offset + last.length, `,${layoutOf(text).lineBreak}${indent}${made(indent)}`);
}

/** Takes a handler out, and with it what holds nothing else and was made for it. */
function remove(text: string, handler: Node): string {
  const group = handler.parent?.parent?.parent;
  const groups = group?.parent;
  const event = groups?.parent;
  const hooks = event?.parent?.parent;
  if (!group || !groups || !event || !hooks) return text;
  if ((handler.parent?.children?.length ?? 0) > 1) return removeChild(text, handler);
  if (groups.children?.length !== 1 || wasEmpty(groups, group)) return removeChild(text, group);
  const object = event.parent;
  if (object?.children?.length !== 1 || wasEmpty(object, event)) return removeChild(text, event);
  return removeChild(text, hooks);
}

/** Whether a list or object was there, and empty, before its only child was put in. */
function wasEmpty(container: Node, child: Node): boolean {
  return child.offset === container.offset + 1;
}

/** Takes a child out with the comma that set it apart; comments beside it stay. */
function removeChild(text: string, child: Node): string {
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

/** The only child of the whole: put in, it has the line breaks around it that `addGroup` gives it. */
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

function treeOf(text: string): Node {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root?.type !== "object") throw new TypeError("hooks can be put into the text of an object alone");
  return root;
}

function childrenOf(node: Node | undefined, type: "object" | "array"): readonly Node[] {
  return node?.type === type ? (node.children ?? []) : [];
}

function propertiesNamed(object: Node, name: string): Node[] {
  return childrenOf(object, "object").filter((property) => property.children?.[0]?.value === name);
}

/** The white space that the line of a place begins with. */
function indentAt(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf("\n", offset - 1), text.lastIndexOf("\r", offset - 1)) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? "";
}

function insert(text: string, offset: number, piece: string): string {
  return text.slice(0, offset) + piece + text.slice(offset);
}

function cut(text: string, start: number, end: number): string {
  return text.slice(0, start) + text.slice(end);
}
