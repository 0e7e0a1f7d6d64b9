import { expect, test } from "bun:test";
import { readSettingFlags, type SettingFlags } from "../../src/cli/serve-flags.ts";
import { SegueError } from "../../src/core/errors.ts";

function read(flags: Partial<SettingFlags>): unknown {
  return readSettingFlags({ set: [], ...flags }, "/c/settings.json", {}).map(({ key, value }) => [
    key,
    value,
  ]);
}

test("--set takes JSON where it parses and else the text, and --host and --port come last", () => {
  const set = [
    "provider=echo",
    "turn.maxAttempts=3",
    "turn.system=a=b",
    'log.level="debug"',
    "server.port=1",
  ];
  expect(read({ set, host: "::1", port: 0 })).toEqual([
    ["provider", "echo"],
    ["turn.maxAttempts", 3],
    ["turn.system", "a=b"],
    ["log.level", "debug"],
    ["server.port", 1],
    ["server.host", "::1"],
    ["server.port", 0],
  ]);
});

test.each([
  ["no value", "server.tokenhush", /^--set needs KEY=VALUE/],
  ["no key", "=hush", /^--set needs KEY=VALUE/],
  ["an unknown key", "turn.maxAttemps=hush", /--set turn\.maxAttemps.*turn\.maxAttempts/],
  ["a value out of range", "turn.maxAttempts=0", /turn\.maxAttempts must be at least 1/],
  ["a secret of the wrong form", 'server.token={"a":"hush"}', /server\.token/],
])("--set with %s is an error of usage that shows no value which may be secret", (_what, text, sentence) => {
  let thrown: unknown;
  try {
    read({ set: [text] });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SegueError);
  expect(thrown).toMatchObject({ code: "usage", message: expect.stringMatching(sentence) });
  expect(String(thrown)).not.toContain("hush");
});
