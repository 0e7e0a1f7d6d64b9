import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { getNodeValue, parse, parseTree, type ParseError } from "jsonc-parser";
import { allowsUrl, hooksFor, obstacleIn, withHooks, withoutHooks } from "../../src/agents/hook-settings.ts";

const hooks = hooksFor("http://127.0.0.1:4747", undefined, "segue hook claude-code");
const elsewhere = hooksFor("http://127.0.0.1:4848", "SEGUE_TOKEN", "'/opt/my tools/segue' hook claude-code");
const events = Object.keys(hooks);

const lived = `{
  // how I like it
  "model": "opus", /* for now */
  "permissions": { "allow": ["Bash(ls:*)"], },
  "hooks": {
    // formats what was written
    "PostToolUse": [
      { "matcher": "Write|Edit", "hooks": [{ "type": "command", "command": "prettier --write" }] }, // keep
    ],
    "Stop": [],
    "SessionStart": [ { "hooks": [ { "type": "command", "command": "date" } ] } ]
    /* the end */
  },
}
`;

/** What the text says, as the agent reads it; fails where it does not parse. */
function valueOf(text: string): Record<string, unknown> {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || typeof value !== "object" || value === null)
    throw new Error(`it does not parse: ${text}`);
  return { ...value };
}

/** Groups of each event, as [event, group]. */
function groupsIn(text: string): [string, unknown][] {
  const all: unknown = valueOf(text)["hooks"] ?? {};
  if (typeof all !== "object" || all === null) throw new Error("hooks is no object");
  return Object.entries(all).flatMap(([event, groups]) =>
    (Array.isArray(groups) ? groups : []).map((group: unknown): [string, unknown] => [event, group]),
  );
}

describe("hooks in the agent's settings", () => {
  test("each event gets its handler behind those that are there, and comments stay", () => {
    const connected = withHooks(lived, hooks);
    const before = groupsIn(lived);
    expect(groupsIn(connected)).toHaveLength(before.length + events.length);
    for (const [event, handler] of Object.entries(hooks))
      expect(groupsIn(connected)).toContainEqual([event, { hooks: [handler] }]);
    for (const group of before) expect(groupsIn(connected)).toContainEqual(group);
    for (const comment of [
      "// how I like it",
      "/* for now */",
      "// formats what",
      "// keep",
      "/* the end */",
    ])
      expect(connected).toContain(comment);
  });

  test.each([
    ["settings of years", lived],
    ["an empty object", "{}"],
    ["an empty object in lines", "{\n}\n"],
    ["an empty object with a comment", "{ /* nothing yet */ }"],
    ["one line", '{"model":"opus"}'],
    ["an empty hooks", '{\n  "hooks": {}\n}\n'],
    ["an empty hooks among others, in tabs", '{\n\t"a": 1,\n\t"hooks": { },\n\t"b": [ ]\n}'],
    ["an empty list", '{"hooks":{"Stop":[ ]}}'],
    ["line ends of another system", '{\r\n    "a": true\r\n}\r\n'],
    ["a line comment at the end of a value", '{\n  "a": 1 // one\n}\n'],
  ])("%s: put in twice and taken out, it is byte for byte as before", (_name, text) => {
    const once = withHooks(text, hooks);
    expect(once).not.toBe(text);
    expect(withHooks(once, hooks)).toBe(once);
    expect(withoutHooks(once)).toBe(text);
    expect(withoutHooks(withHooks(once, elsewhere))).toBe(text);
  });

  test("so is any text, however it is written, and what it says of other things stays", () => {
    fc.assert(
      fc.property(settingsText, (text) => {
        const once = withHooks(text, hooks);
        expect(groupsIn(once)).toHaveLength(groupsIn(text).length + events.length);
        const { hooks: _ours, ...others } = valueOf(once);
        const { hooks: _theirs, ...before } = valueOf(text);
        expect(others).toEqual(before);
        expect(withHooks(once, hooks)).toBe(once);
        expect(withoutHooks(once)).toBe(text);
        expect(withoutHooks(text)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test("another address replaces the old hooks instead of joining them", () => {
    const moved = withHooks(withHooks(lived, hooks), elsewhere);
    expect(moved).not.toContain(":4747");
    expect(groupsIn(moved)).toHaveLength(groupsIn(lived).length + events.length);
    expect(moved).toContain('"Authorization":"Bearer $SEGUE_TOKEN"');
    expect(moved).toContain('"allowedEnvVars":["SEGUE_TOKEN"]');
  });

  test("hooks that came behind ours stay, wherever ours are by then", () => {
    const connected = withHooks('{\n  "a": 1\n}\n', hooks);
    const later = connected.replace(
      '"Stop": [\n',
      '"Stop": [\n      // mine\n      { "hooks": [{ "type": "command", "command": "say done" }] },\n',
    );
    const joined = later.replace(
      /(\{ "hooks": \[\{[^\]]*?)(\}\] \}\n {4}\],\n {4}"SessionEnd")/,
      (all, start, end) => (all === "" ? all : `${start}}, { "type": "command", "command": "x segue" ${end}`),
    );
    expect(joined).not.toBe(later);
    const left = withoutHooks(joined);
    expect(groupsIn(left)).toEqual([
      ["Stop", { hooks: [{ type: "command", command: "say done" }] }],
      ["Stop", { hooks: [{ type: "command", command: "x segue" }] }],
    ]);
    expect(left).toContain("// mine");
  });

  test("ours are found and gone after a formatter has been over them", () => {
    const connected = JSON.stringify(valueOf(withHooks(lived, hooks)), undefined, 4);
    expect(groupsIn(withoutHooks(connected))).toEqual(groupsIn(lived));
  });

  test("what only looks like ours is left alone", () => {
    const foreign = ["other hook claude-code", "segue hook claude-codex", "segue hooks", "echo segue"];
    const handlers = foreign.map((command) => ({ type: "command", command }));
    const text = JSON.stringify({
      hooks: { Stop: [{ hooks: [...handlers, { type: "http", url: "http://x/hooks/other" }] }] },
    });
    expect(withoutHooks(text)).toBe(text);
  });

  test.each([
    ["{}", true],
    ['{"allowedHttpHookUrls": []}', false],
    ['{"allowedHttpHookUrls": ["https://*", "http://127.0.0.1:4747/*"]}', true],
    ['{"allowedHttpHookUrls": ["http://*/hooks/*"]}', true],
    ['{"allowedHttpHookUrls": ["http://*/hooks/*x*"]}', false],
    ['{"allowedHttpHookUrls": ["http://127.0.0.1:4747/hooks/claude-code"]}', true],
    ['{"allowedHttpHookUrls": ["http://127.0.0.1:4747/"]}', false],
    ['{"allowedHttpHookUrls": ["*code*code"]}', false],
  ])("under %s the agent sends to us: %p", (text, does) => {
    expect(allowsUrl(text, "http://127.0.0.1:4747/hooks/claude-code")).toBe(does);
  });

  test("what is in the way is told with its place", () => {
    expect(obstacleIn(lived, events)).toBeUndefined();
    expect(obstacleIn("{}", events)).toBeUndefined();
    expect(obstacleIn('{"hooks": []}', events)).toEqual({ message: "hooks has to be an object", offset: 10 });
    expect(obstacleIn('{"hooks": {"Stop": {}}}', events)).toMatchObject({ offset: 19 });
    expect(obstacleIn('{"hooks": {}, "hooks": {}}', events)).toMatchObject({
      message: "hooks is given twice",
    });
    expect(obstacleIn('{"hooks": {"Stop": [], "Stop": []}}', events)).toMatchObject({ offset: 23 });
  });
});

/** Settings of the agent in all the ways in which people and programs write them. */
const space = fc.constantFrom("", " ", "\n", "\n  ", "\n\t", "\r\n    ", " /* c, [ */ ", " // c }\n");
const scalar = fc.constantFrom("1", '"a{b"', "null", "true");
const commandGroup = fc.constantFrom(
  '{ "hooks": [{ "type": "command", "command": "date" }] }',
  '{"matcher":"Bash","hooks":[]}',
  "{}",
);

function joined(
  items: fc.Arbitrary<string>,
  open: string,
  close: string,
  most: number,
): fc.Arbitrary<string> {
  const item = fc.tuple(space, items, space).map((parts) => parts.join(""));
  return fc
    .tuple(fc.array(item, { maxLength: most }), fc.boolean(), space)
    .map(([all, hasTrailing, inner]) => {
      const comma = hasTrailing && all.length > 0 ? `,${inner}` : inner;
      return open + all.join(",") + comma + close;
    });
}

const list = joined(commandGroup, "[", "]", 3);
const eventsObject = fc
  .uniqueArray(fc.constantFrom("Stop", "PostToolUse", "PreToolUse", "SessionStart"), { maxLength: 3 })
  .chain((names) => objectOf(names.map((name) => [name, list])));
const settingsText = fc
  .tuple(fc.uniqueArray(fc.constantFrom("a", "b", "hooks", "c")), space, space)
  .chain(([names, before, after]) =>
    objectOf(names.map((name) => [name, name === "hooks" ? eventsObject : scalar])).map(
      (object) => before + object + after,
    ),
  )
  .filter((text) => getNodeValue(parseTree(text, [], { allowTrailingComma: true }) ?? failed(text)) !== null);

function objectOf(entries: readonly (readonly [string, fc.Arbitrary<string>])[]): fc.Arbitrary<string> {
  const properties = entries.map(([name, value]) =>
    fc.tuple(space, value, space).map(([before, inner, after]) => `${before}"${name}":${inner}${after}`),
  );
  return fc.tuple(fc.tuple(...properties), fc.boolean(), space).map(([all, hasTrailing, inner]) => {
    const comma = hasTrailing && all.length > 0 ? `,${inner}` : inner;
    return `{${all.join(",")}${comma}}`;
  });
}

function failed(text: string): never {
  throw new Error(`the test made a text that does not parse: ${text}`);
}
