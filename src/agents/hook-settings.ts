import { findNodeAtLocation, getNodeValue, type Node } from "jsonc-parser";
import { agentName } from "./claude-code.ts";
import { isEventObject } from "./content.ts";
import { append, childrenOf, insert, type Layout, layoutOf, removeChild, treeOf } from "./text-pieces.ts";

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

/**
 * Whether the agent would send to this address: false where the text has a list `allowedHttpHookUrls` and no pattern
 * in it fits (`*` stands for anything).
 */
export function allowsUrl(text: string, url: string): boolean {
  const list = findNodeAtLocation(treeOf(text), ["allowedHttpHookUrls"]);
  if (list?.type !== "array") return true;
  const patterns: unknown = getNodeValue(list);
  return Array.isArray(patterns) && patterns.some((pattern) => fits(String(pattern), url));
}

function fits(pattern: string, url: string): boolean {
  const [first = "", ...others] = pattern.split("*");
  if (others.length === 0) return first === url;
  const last = others.pop() ?? "";
  if (!url.startsWith(first) || !url.endsWith(last) || url.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of others) {
    const found = url.indexOf(part, at);
    if (found < 0 || found + part.length > url.length - last.length) return false;
    at = found + part.length;
  }
  return true;
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

function wrapped(open: string, inner: string, close: string, indent: string, layout: Layout): string {
  const { lineBreak, unit } = layout;
  return open + lineBreak + indent + unit + inner + lineBreak + indent + close;
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

function propertiesNamed(object: Node, name: string): Node[] {
  return childrenOf(object, "object").filter((property) => property.children?.[0]?.value === name);
}
