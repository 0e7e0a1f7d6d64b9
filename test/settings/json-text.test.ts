import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parse, stripComments } from "jsonc-parser";
import { removeFromText, setInText } from "../../src/settings/json-text.ts";

const file = `// head
{
  // who
  "provider": "echo", // the one
  "turn": { "maxAttempts": 3 }, /* kept */ // of turns
  "fallback": [
    "echo", // first
    // about claude
    "claude" // second
  ],
  "server": {
    // nothing yet
  },
  "providers": {
    "a": { "kind": "echo", "model": "m" } // last
  }
  // end
}
`;

describe("a value that is set", () => {
  test.each([
    ["takes the place of the old one", ["provider"], "claude", `"provider": "claude", // the one\n`],
    [
      "goes to the end of its line",
      ["turn", "mode"],
      "batch",
      `"turn": { "maxAttempts": 3, "mode": "batch" }, /* kept */ // of turns\n`,
    ],
    [
      "goes behind the comments of the last one",
      ["providers", "b"],
      { kind: "echo" },
      `"m" }, // last\n    "b": {\n      "kind": "echo"\n    }\n  }\n`,
    ],
    [
      "goes behind the comments of an empty object",
      ["server", "port"],
      0,
      `// nothing yet\n    "port": 0\n  },\n`,
    ],
    [
      "makes the objects on its way",
      ["log", "level"],
      "debug",
      `  },\n  "log": {\n    "level": "debug"\n  }\n  // end\n}`,
    ],
    [
      "leaves the other items of a list where they are",
      ["fallback"],
      ["echo", "gemini", "claude"],
      `"echo", // first\n    "gemini",\n    // about claude\n    "claude" // second\n`,
    ],
    [
      "takes items out of a list",
      ["fallback"],
      ["claude"],
      `"fallback": [\n    // first\n    // about claude\n    "claude" // second\n`,
    ],
  ])("%s", (_what, path, value, expected) => {
    expect(setInText(file, path, value)).toContain(expected);
  });

  test.each([
    ["{}", ["a"], 1, '{\n  "a": 1\n}'],
    ['{"a":1}', ["b"], 2, '{"a":1, "b": 2}'],
    ['{ "a": 1, }', ["b"], [1, 2], '{ "a": 1, "b": [1, 2], }'],
    ['{\r\n\t"a": 1\r\n}', ["b", "c"], 2, '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 2\r\n\t}\r\n}'],
    ['{ "a": 1 // x\n}', ["b"], 2, '{ "a": 1, // x\n"b": 2\n}'],
  ])("follows the style of %j", (text, path, value, expected) => {
    expect(setInText(text, path, value)).toBe(expected);
  });
});

describe("a value that is removed", () => {
  test.each([
    [["provider"], `{\n  // who\n  // the one\n  "turn"`],
    [["turn"], `// the one\n  /* kept */ // of turns\n  "fallback"`],
    [["turn", "maxAttempts"], `"turn": { }, /* kept */`],
    [["providers"], `// nothing yet\n  }\n  // end\n}`],
    [["providers", "a", "model"], `"a": { "kind": "echo" } // last`],
  ])("%j takes no comment with it", (path, expected) => {
    expect(removeFromText(file, path)).toContain(expected);
  });

  test("that is not there changes nothing", () => {
    expect(removeFromText(file, ["log", "level"])).toBe(file);
  });
});

const comments = (text: string): string[] => text.match(/\/\/[^\n]*|\/\*.*?\*\//g) ?? [];
const names = fc.constantFrom(
  "provider",
  "turn",
  "fallback",
  "server",
  "providers",
  "log",
  "a",
  "maxAttempts",
);
const steps = fc.array(
  fc.record({
    path: fc.array(names, { minLength: 1, maxLength: 3 }),
    value: fc.oneof(
      fc.constant(undefined),
      fc.jsonValue({ maxDepth: 2 }),
      fc.array(fc.constantFrom("echo", "claude", "x")),
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

/** The same change, made to a value. */
function changed(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let object = root;
  for (const name of path.slice(0, -1)) {
    const inner = object[name];
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) {
      if (value === undefined) return;
      object[name] = {};
    }
    object = object[name] as Record<string, unknown>;
  }
  if (value === undefined) delete object[path.at(-1) ?? ""];
  else object[path.at(-1) ?? ""] = value;
}

test("whatever is set and removed, the text says it, and every comment outside what was replaced is there", () => {
  fc.assert(
    fc.property(steps, (changes) => {
      let text = file;
      const wanted: Record<string, unknown> = parse(file, [], { allowTrailingComma: true });
      for (const { path, value } of changes) {
        text = value === undefined ? removeFromText(text, path) : setInText(text, path, value);
        changed(wanted, path, value);
      }
      expect(parse(text, [], { allowTrailingComma: true })).toEqual(wanted);
      expect(() => JSON.parse(stripComments(text))).not.toThrow();
      expect(comments(text)).toContain("// who");
      expect(comments(text)).toContain("// the one");
    }),
    { numRuns: 400 },
  );
});
