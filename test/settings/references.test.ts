import { describe, expect, test } from "bun:test";
import { problemsOf, read } from "./reading.ts";

const text = (value: unknown): string => JSON.stringify(value);

describe("a text of the file", () => {
  const env = { NAME: "from the environment", EMPTY: "", _x9: "underscored" };
  const rows: readonly (readonly [written: string, stands: string])[] = [
    ["$NAME", "from the environment"],
    ["$_x9", "underscored"],
    ["$EMPTY", ""],
    ["$$NAME", "$NAME"],
    ["$$$", "$$"],
    ["$NAME and more", "$NAME and more"],
    ["$9", "$9"],
    ["costs $5", "costs $5"],
    [" $NAME", " $NAME"],
    ["$", "$"],
    ["File:x", "File:x"],
  ];
  test.each(rows)("%j stands for %j", (written, stands) => {
    expect(read(text({ turn: { system: written } }), { env }).settings.turn.system).toBe(stands);
  });
});

describe("a file: reference", () => {
  const rows: readonly (readonly [content: string | Uint8Array, stands: string])[] = [
    ["key", "key"],
    ["key\n", "key"],
    ["key\r\n", "key"],
    ["key\n\n", "key\n"],
    ["\uFEFFkey", "key"],
    ["$NAME", "$NAME"],
    ["", ""],
  ];
  test.each(rows)("to %j stands for %j", (content, stands) => {
    const reading = read(text({ turn: { system: "file:prompt.md" } }), {
      files: { "/etc/segue/prompt.md": content },
    });
    expect(reading.settings.turn.system).toBe(stands);
    expect(reading.sources["turn.system"]).toEqual({ source: "file", reference: "file", resolved: true });
  });

  test("is relative to the folder of the settings, and names the files to watch, each once", () => {
    const files = { "/etc/segue/a": "A", "/etc/b": "B", "/abs/c": "C" };
    const providers = {
      claude: { apiKey: "file:../b" },
      gemini: { apiKey: "file:/abs/c" },
      openai: { apiKey: "file:a" },
    };
    const reading = read(text({ turn: { system: "file:a" }, providers }), { files });
    expect(reading.settings.providers["claude"]?.apiKey).toBe("B");
    expect(reading.settings.providers["gemini"]?.apiKey).toBe("C");
    expect([...reading.referencedFiles].toSorted()).toEqual(["/abs/c", "/etc/b", "/etc/segue/a"]);
  });

  test("that cannot be read is a problem at its value, of an unused provider too", () => {
    expect(problemsOf(text({ providers: { claude: { apiKey: "file:gone" } } }))).toEqual([
      {
        path: "providers.claude.apiKey",
        message: "providers.claude.apiKey refers to the file /etc/segue/gone, which does not exist",
        line: 1,
        column: 34,
      },
    ]);
  });

  test.each([
    ["too large a file", new Uint8Array(1024 * 1024 + 1), "is larger than 1048576 bytes"],
    ["bytes that are no text", new Uint8Array([0xff]), "is not UTF-8 text"],
  ])("to %s is a problem", (_what, content, message) => {
    const files = { "/etc/segue/x": content };
    expect(problemsOf(text({ turn: { system: "file:x" } }), { files })[0]?.message).toContain(message);
  });

  test("without a path is a problem", () => {
    expect(problemsOf(text({ turn: { system: "file:" } }))[0]?.message).toBe(
      "turn.system names no file after file:",
    );
  });
});

describe("a reference to the environment that does not resolve", () => {
  const unset = { providers: { openai: { apiKey: "$MY_KEY" } } };

  test("is a problem at its value where no other provider could do without it", () => {
    expect(problemsOf(text({ turn: { system: "$PROMPT" } }))).toMatchObject([
      {
        path: "turn.system",
        message: "turn.system refers to the environment variable PROMPT, which is not set",
        column: 19,
      },
    ]);
    expect(problemsOf(text({ server: { token: "$TOKEN" } }))).toHaveLength(1);
    expect(problemsOf(text({ turn: { system: "$constructor" } }))[0]?.message).toEndWith("which is not set");
    expect(problemsOf(text({ providers: { openai: { kind: "$KIND" } } }))).toHaveLength(1);
  });

  test("keeps a provider that is not chosen from being used, and nothing else", () => {
    const { settings, sources } = read(text(unset));
    expect(settings.providers["openai"]?.apiKey).toBeUndefined();
    expect(settings.providers["openai"]?.notReady).toContain("environment variable MY_KEY, which is not set");
    expect(sources["providers.openai.apiKey"]).toEqual({ source: "file", reference: "env", resolved: false });
  });

  test("is a problem of the chosen provider", () => {
    expect(problemsOf(text({ provider: "openai", ...unset }))).toMatchObject([
      { path: "providers.openai.apiKey", message: expect.stringContaining("MY_KEY, which is not set") },
    ]);
    expect(problemsOf(text(unset), { flags: [{ key: "provider", value: "openai" }] })).toHaveLength(1);
  });

  test("does not send the key of one address to another", () => {
    const openai = { apiKey: "key-of-the-gateway", baseUrl: "$GATEWAY" };
    expect(read(text({ providers: { openai } })).settings.providers["openai"]?.apiKey).toBeUndefined();
  });

  test("does not fall back to the default key where it is empty", () => {
    const env = { MY_KEY: "", OPENAI_API_KEY: "default" };
    expect(read(text(unset), { env }).settings.providers["openai"]).toMatchObject({
      apiKey: undefined,
      notReady: expect.stringContaining("has no API key"),
    });
  });
});

test("references in a list stand for their items", () => {
  const argv = ["tool", "--key", "$TOOL_KEY", "$$5"];
  const reading = read(text({ providers: { command: { argv } } }), { env: { TOOL_KEY: "tool-key-1234" } });
  expect(reading.settings.providers["command"]?.argv).toEqual(["tool", "--key", "tool-key-1234", "$5"]);
  expect(reading.sources["providers.command.argv"]).toEqual({
    source: "file",
    reference: "env",
    resolved: true,
  });
  expect(reading.referencedVariables).toContain("TOOL_KEY");
});

test("what a reference stands for is not shown in a problem", () => {
  const around = { env: { MODE: "hidden" }, files: { "/etc/segue/key": "hid den" } };
  const problems = problemsOf(
    text({ turn: { mode: "$MODE" }, providers: { claude: { apiKey: "file:key" } } }),
    around,
  );
  expect(problems).toHaveLength(2);
  expect(JSON.stringify(problems)).not.toMatch(/hid/);
});

describe("the default key of a vendor", () => {
  const env = { ANTHROPIC_API_KEY: "default-key" };
  const keyAt = (claude: object): string | undefined =>
    read(text({ providers: { claude } }), { env }).settings.providers["claude"]?.apiKey;

  test.each([
    {},
    { baseUrl: "https://api.anthropic.com/" },
    { baseUrl: "https://API.anthropic.com:443/v1" },
    { apiKey: "" },
  ])("holds for the vendor's own base URL: %j", (claude) => expect(keyAt(claude)).toBe("default-key"));

  test.each([
    "https://gateway.example/v1",
    "http://api.anthropic.com",
    "https://api.anthropic.com:8443",
    "https://api.anthropic.com.example.org",
    "https://api.anthropic.com@example.org",
  ])("is not sent to %s", (baseUrl) => expect(keyAt({ baseUrl })).toBeUndefined());

  test("holds by kind, whatever the provider's name", () => {
    const mine = { kind: "claude", model: "m" };
    const { settings, sources } = read(text({ providers: { mine } }), { env });
    expect(settings.providers["mine"]?.apiKey).toBe("default-key");
    expect(sources["providers.mine.apiKey"]).toEqual({ source: "default", reference: "env", resolved: true });
  });

  test("that no header could carry counts as absent", () => {
    const { settings } = read("{}", { env: { ANTHROPIC_API_KEY: "two\nlines" } });
    expect(settings.providers["claude"]).toMatchObject({ apiKey: undefined, notReady: expect.any(String) });
  });

  test("is named among the variables that are referred to", () => {
    expect([...read(null).referencedVariables].toSorted()).toEqual([
      "ANTHROPIC_API_KEY",
      "GEMINI_API_KEY",
      "OPENAI_API_KEY",
    ]);
  });
});
