import { describe, expect, test } from "bun:test";
import { type Around, problemsOf } from "./reading.ts";

/** `LINE:COLUMN path: part of the message`. */
type Expected = string;

function shown(text: string | Uint8Array, around?: Around): string[] {
  return problemsOf(text, around).map(
    ({ line, column, path, message }) => `${line ?? "-"}:${column ?? "-"} ${path}: ${message}`,
  );
}

function expectProblems(text: string | Uint8Array, expected: readonly Expected[], around?: Around): void {
  const got = shown(text, around);
  expect(got).toHaveLength(expected.length);
  for (const [index, part] of expected.entries()) expect(got[index]).toContain(part);
}

const notSettings: readonly (readonly [
  what: string,
  text: string | Uint8Array,
  expected: readonly Expected[],
])[] = [
  ["an empty file", "", ["1:1 : the file is empty; write {} for defaults"]],
  ["white space only", " \n\t\n", ["1:1 : the file is empty"]],
  ["a comment only", "// nothing yet\n", ["1:1 : the file is empty"]],
  ["a byte-order mark only", "\uFEFF", ["1:1 : the file is empty"]],
  ["a list", "  [1]", ["1:3 : the file must hold an object, like {} (got a list)"]],
  ["a text", '"x"', ["1:1 : the file must hold an object, like {} (got string)"]],
  ["an open brace", "{", ['1:2 : expected "}", but the file ends here']],
  [
    "an end in a value",
    '{\n  "turn": {"maxAttempts":',
    ["2:26 turn.maxAttempts: expected a value, but the file"],
  ],
  ["an end in a text", '{"provider": "ech', ["1:14 provider: this text does not end on its line"]],
  ["a missing comma", '{\n "turn": {} // here\n "log": {}\n}', ['2:12 turn: expected ","']],
  [
    "single quotes",
    "{'provider': 'echo'}",
    ["1:2 : this is not JSON: keys and texts stand in double quotes"],
  ],
  ["a bare key", "{provider: 1}", ["1:2 : this is not JSON"]],
  ["hexadecimal", '{"turn": {"retryMs": 0x10}}', ["1:23 turn.retryMs: this is not JSON"]],
  ["a word that is no value", '{"provider": yes}', ["1:14 provider: this is not JSON"]],
  ["more after the end", "{}\nx", ["2:1 : this is not JSON"]],
  ["a second object", "{}{}", ["1:3 : expected the end of the file"]],
  ["an open comment", "{} /* and", ["1:4 : this comment does not end"]],
  ["mistakes on two lines", '{"provider": x,\n"log": y}', ["1:14 provider:", "2:8 log:"]],
  [
    "too many bytes",
    "{}".padEnd(1024 * 1024 + 1),
    ["1:1 : the file must be at most 1048576 bytes (got 1048577)"],
  ],
  [
    "bytes that are no UTF-8",
    new Uint8Array([0x7b, 0x0a, 0x20, 0x22, 0xc3, 0x28]),
    ["2:3 : the file must be UTF-8"],
  ],
  [
    "UTF-16",
    new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]),
    ["1:1 : the file must be UTF-8 (this looks like UTF-16)"],
  ],
  ["nesting without end", '{"turn":'.repeat(65), ["1:513 : nested too deeply (more than 64 levels)"]],
  ["brackets that do not match", "[},".repeat(100_000), ["1:193 : nested too deeply"]],
];

describe("what is no settings file is told once, where it goes wrong", () => {
  test.each(notSettings)("%s", (_what, text, expected) => expectProblems(text, expected));
});

const wrongShape: readonly (readonly [what: string, text: string, expected: readonly Expected[]])[] = [
  [
    "an unknown key",
    '{\n  "provder": "echo"\n}',
    ["2:3 provder: provder is not a setting; did you mean provider?"],
  ],
  [
    "an unknown key inside",
    '{"turn": {"maxAtempts": 0}}',
    ["1:11 turn.maxAtempts: turn.maxAtempts is not a setting; did you mean turn.maxAttempts?"],
  ],
  [
    "a key in the wrong section",
    '{"limits": {"maxAttempts": 1}}',
    ["1:13 limits.maxAttempts: limits.maxAttempts is not a setting; did you mean turn.maxAttempts?"],
  ],
  ["another case", '{"turn": {"MAXATTEMPTS": 1}}', ["did you mean turn.maxAttempts?"]],
  [
    "an unknown key of a provider",
    '{"providers": {"claude": {"apikey": "x"}}}',
    [
      "1:27 providers.claude.apikey: providers.claude.apikey is not a setting; did you mean providers.claude.apiKey?",
    ],
  ],
  [
    "an unknown section",
    '{"trun": {"maxAttempts": "no"}}',
    ["1:2 trun: trun is not a setting; did you mean turn?"],
  ],
  [
    "a dotted key",
    '{"turn.maxAttempts": 3}',
    ["1:2 turn.maxAttempts: turn.maxAttempts must be written nested"],
  ],
  ["__proto__", '{"__proto__": {"provider": "claude"}}', ["1:2 __proto__: __proto__ is not a setting"]],
  [
    "a provider named __proto__",
    '{"providers": {"__proto__": {"kind": "echo"}}}',
    ["1:16 providers.__proto__: providers.__proto__ is not a name a provider can have"],
  ],
  ["a control character in a key", '{"a\\u001b[2Jb": 1}', ["a\\u001b[2Jb is not a setting"]],
  [
    "a doubled key",
    '{"provider": "echo",\n "provider": "claude"}',
    ["2:2 provider: provider is given twice"],
  ],
  ["a key given three times", '{"log": {}, "log": {}, "log": {}}', ["1:13 log:", "1:24 log:"]],
  [
    "a doubled provider",
    '{"providers": {"echo": {}, "echo": {}}}',
    ["1:28 providers.echo: providers.echo is given twice"],
  ],
  ["a doubled key written with an escape", '{"log": {}, "l\\u006fg": {}}', ["1:13 log: log is given twice"]],
  ["a value for a section", '{"turn": 5}', ["1:10 turn: turn must be an object (got 5)"]],
  [
    "a list for the providers",
    '{"providers": []}',
    ["1:15 providers: providers must be an object (got a list)"],
  ],
  [
    "too low",
    '{"turn": {"maxAttempts": 0}}',
    ["1:26 turn.maxAttempts: turn.maxAttempts must be at least 1 (got 0)"],
  ],
  [
    "too high",
    '{"server": {"port": 70000}}',
    ["1:21 server.port: server.port must be at most 65535 (got 70000)"],
  ],
  [
    "a fraction",
    '{"turn": {"retryMs": 1.5}}',
    ["1:22 turn.retryMs: turn.retryMs must be a whole number (got 1.5)"],
  ],
  [
    "a number too large for any number",
    '{"turn": {"retryMs": 1e999}}',
    ["turn.retryMs must be a whole number"],
  ],
  [
    "a long text, which may be a key that was pasted into the wrong place, for a number",
    '{"server": {"port": "planted-token-value"}}',
    ["server.port must be a whole number (got a text of 19 characters)"],
  ],
  ["a number in quotes", '{"turn": {"retryMs": "20"}}', ['turn.retryMs must be a whole number (got "20")']],
  ["null", '{"provider": null}', ["1:14 provider: provider must be text (got null)"]],
  [
    "none of the choices",
    '{"turn": {"mode": "both"}}',
    ['turn.mode must be one of "single", "batch" (got "both")'],
  ],
  [
    "an item that is no text",
    '{"agents": {"exclude": ["a", 7]}}',
    ["1:30 agents.exclude.1: agents.exclude.1 must be text (got 7)"],
  ],
  ["a text for a list", '{"fallback": "echo"}', ['fallback must be a list of texts (got "echo")']],
  ["$schema that is no text", '{"$schema": 1}', ["1:13 $schema: $schema must be text"]],
  ["tabs and wide characters before it", '{\t"log": {/* 😀 é */ "level": "loud"}}', ["1:31 log.level:"]],
  ["carriage returns as line ends", '{\r"log": {\r\n"level": 1}}', ["3:10 log.level:"]],
  ["a byte-order mark, which takes no column", '\uFEFF{"log": 1}', ["1:9 log:"]],
];

describe("what stands in a file and may not is told at its place", () => {
  test.each(wrongShape)("%s", (_what, text, expected) => expectProblems(text, expected));
});

const wrongTogether: readonly (readonly [what: string, text: string, expected: readonly Expected[]])[] = [
  [
    "a provider that there is not",
    '{"provider": "clude"}',
    ['1:14 provider: provider must be a name in providers; there is no "clude", did you mean "claude"?'],
  ],
  [
    "a declared provider is a nearest name too",
    '{"provider": "locl", "providers": {"local": {"kind": "echo", "model": "m"}}}',
    ['did you mean "local"?'],
  ],
  [
    "a fallback that there is not",
    '{"fallback": ["echo", "geminy"]}',
    ['1:23 fallback.1: fallback.1 must be a name in providers; there is no "geminy", did you mean "gemini"?'],
  ],
  [
    "names that every object has",
    '{"provider": "constructor", "fallback": ["toString"]}',
    ["provider must be a name", "fallback.0 must be a name"],
  ],
  [
    "another name without kind and model",
    '{"providers": {"mine": {}}}',
    [
      '1:16 providers.mine.kind: providers.mine needs a "kind"',
      '1:16 providers.mine.model: providers.mine needs a "model"',
    ],
  ],
  [
    "the chosen provider without a key",
    '{"provider": "claude"}',
    [
      '1:14 provider: provider "claude" cannot be used: providers.claude has no API key; set providers.claude.apiKey or the environment variable ANTHROPIC_API_KEY',
    ],
  ],
  [
    "the chosen provider with an empty key",
    '{"provider": "openai", "providers": {"openai": {"apiKey": ""}}}',
    ['1:59 providers.openai.apiKey: provider "openai" cannot be used'],
  ],
  [
    "a chosen command without a program",
    '{"provider": "command"}',
    ['1:14 provider: provider "command" cannot be used: providers.command.argv names no program'],
  ],
  [
    "a chosen command with an empty program",
    '{"provider": "command", "providers": {"command": {"argv": [""]}}}',
    ["1:59 providers.command.argv: provider"],
  ],
  [
    "an open host without a token",
    '{"server": {"host": "0.0.0.0"}}',
    ["1:21 server.host: server.host 0.0.0.0 is not loopback, so server.token is required"],
  ],
  [
    "a base URL of another scheme",
    '{"providers": {"openai": {"baseUrl": "ftp://user:hidden@host"}}}',
    ["1:38 providers.openai.baseUrl: providers.openai.baseUrl must be an http:// or https:// URL"],
  ],
  [
    "a base URL with a query",
    '{"providers": {"openai": {"baseUrl": "https://host/?key=hidden"}}}',
    ["without query or fragment"],
  ],
  [
    "a key no header can carry",
    '{"providers": {"openai": {"apiKey": "hidden\\nkey"}}}',
    ["providers.openai.apiKey must be at most 4096 visible ASCII characters"],
  ],
  [
    "a mask pasted back",
    '{"providers": {"openai": {"apiKey": "••••", "baseUrl": "https://••••@hidden"}}}',
    ["apiKey must be", "baseUrl must be"],
  ],
  [
    "an empty token",
    '{"server": {"token": ""}}',
    ["server.token must be 1 to 4096 visible ASCII characters; leave it out for no token"],
  ],
  [
    "many at once, in the order of the text",
    '{\n"turn": {"maxAttempts": 0},\n"provider": "x",\n"foo": 1,\n"turn": {}\n}',
    ["2:25 turn.maxAttempts", "3:13 provider", "4:1 foo", "5:1 turn"],
  ],
];

describe("what does not go together is told where it can be mended", () => {
  test.each(wrongTogether)("%s", (_what, text, expected) => {
    expectProblems(text, expected);
    expect(JSON.stringify(problemsOf(text))).not.toContain("hidden");
  });
});

test("what follows from a wrong value is not told as well", () => {
  expectProblems('{"provider": 1, "server": {"host": "0.0.0.0", "token": 5}}', [
    "provider must be text",
    "server.token must be text",
  ]);
  expectProblems('{"provider": "mine", "providers": {"mine": {"kind": "open", "model": "m"}}}', [
    "providers.mine.kind must be one of",
  ]);
});

test.each(["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "::1", "0:0:0:0:0:0:0:1"])(
  "%s is loopback and needs no token",
  (host) => expect(problemsOf(JSON.stringify({ server: { host } }))).toEqual([]),
);

test.each(["0.0.0.0", "::", "192.168.1.2", "example.org", "127.0.0.1.example.org", "localhost.example.org"])(
  "%s is not loopback and needs a token",
  (host) => {
    expect(problemsOf(JSON.stringify({ server: { host } }))).toHaveLength(1);
    expect(problemsOf(JSON.stringify({ server: { host, token: "t0ken" } }))).toEqual([]);
  },
);

test("a file with more problems than a person can use shows the first and says that there are more", () => {
  const text = `{${Array.from({ length: 5000 }, (_, index) => `"k${index}": 1`).join(",\n")}}`;
  const problems = problemsOf(text);
  expect(problems).toHaveLength(201);
  expect(problems[199]).toMatchObject({ path: "k199", line: 200 });
  expect(problems[200]?.message).toContain("there are more problems");
});

test("more providers than anyone has are refused", () => {
  const providers = Object.fromEntries(
    Array.from({ length: 257 }, (_, index) => [`p${index}`, { kind: "echo", model: "m" }]),
  );
  expect(problemsOf(JSON.stringify({ providers }))[0]?.message).toBe("providers must be at most 256");
});

test("a secret is never shown, whatever is wrong with it", () => {
  for (const value of [["hidden"], { hidden: "hidden" }, "hid den", 71_717_171]) {
    const text = JSON.stringify({ providers: { claude: { apiKey: value } }, server: { token: value } });
    const problems = problemsOf(text);
    expect(problems).toHaveLength(2);
    expect(JSON.stringify(problems)).not.toMatch(/hid|7171/);
  }
});

test("a flag is judged like the file, and its problem names the flag and no place", () => {
  const flags = [
    { key: "turn.maxAttempts", value: 0 },
    { key: "server.port", value: 70_000, name: "--port" },
    { key: "turn.maxAtempts", value: 1 },
    { key: "turn", value: {} },
    { key: "providers.mine", value: {} },
  ];
  expect(problemsOf("{}", { flags })).toEqual([
    {
      path: "turn.maxAtempts",
      message: "--set turn.maxAtempts: turn.maxAtempts is not a setting; did you mean turn.maxAttempts?",
    },
    { path: "turn", message: "--set turn: turn is a group of keys; name one key in it" },
    { path: "providers.mine", message: expect.stringContaining("--set providers.mine: ") },
    {
      path: "turn.maxAttempts",
      message: "--set turn.maxAttempts: turn.maxAttempts must be at least 1 (got 0)",
    },
    { path: "server.port", message: "--port: server.port must be at most 65535 (got 70000)" },
  ]);
});
