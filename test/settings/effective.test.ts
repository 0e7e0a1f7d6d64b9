import { describe, expect, test } from "bun:test";
import { flagProblems } from "../../src/settings/flags.ts";
import { inputOf, read } from "./reading.ts";

const commented = `\uFEFF// Segue
{
  "$schema": "./settings.schema.json",
  "provider": "local", /* chosen */
  "fallback": ["echo",],
  "providers": {
    "local": {
      "kind": "openai",
      "model": "llama3.2",
      "baseUrl": "http://reader:p%40ss@localhost:11434/v1/",
      "temperature": 0.2,
    },
    "openai": { "kind": "claude", },
    "command": { "argv": ["./answer", "--fast"] },
    "gpt-4.1": { "kind": "openai", "model": "gpt-4.1" },
  },
  "turn": { "retryMs": 0 },
}
`;

describe("a settings file with comments, trailing commas and a byte-order mark", () => {
  const { settings } = read(commented);

  test("says what it says, and the rest is default", () => {
    expect(settings).toMatchObject({
      provider: "local",
      fallback: ["echo"],
      turn: { retryMs: 0, maxAttempts: 5 },
    });
    expect("$schema" in settings).toBeFalse();
  });

  test("a provider has everything filled in, its base URL without user-info", () => {
    expect(settings.providers["local"]).toEqual({
      kind: "openai",
      model: "llama3.2",
      baseUrl: "http://localhost:11434/v1/",
      userInfo: "reader:p@ss",
      apiKey: undefined,
      maxOutputTokens: 4096,
      temperature: 0.2,
      argv: [],
      delayMs: 0,
      notReady: undefined,
    });
  });

  test("one of the five merges with what is declared, its kind included", () => {
    expect(settings.providers["openai"]).toMatchObject({
      kind: "claude",
      baseUrl: "https://api.anthropic.com",
    });
    expect(settings.providers["command"]).toMatchObject({
      model: "command",
      argv: ["./answer", "--fast"],
      baseUrl: undefined,
    });
    expect(settings.providers["gpt-4.1"]?.model).toBe("gpt-4.1");
  });
});

describe("flags", () => {
  test("beat the file, and say so", () => {
    const flags = [
      { key: "server.port", value: 0 },
      { key: "providers.gpt-4.1.model", value: "gpt-4.1-mini" },
      { key: "turn.system", value: 7 },
    ];
    const { settings, sources, fromFile } = read(commented, { flags });
    expect(settings.server.port).toBe(0);
    expect(settings.providers["gpt-4.1"]?.model).toBe("gpt-4.1-mini");
    expect(settings.turn.system).toBe("7");
    expect(sources["server.port"]).toEqual({ source: "flag" });
    expect(sources["providers.gpt-4.1.kind"]).toEqual({ source: "file" });
    expect(sources["server.host"]).toEqual({ source: "default" });
    expect(fromFile.server.port).toBe(4747);
  });

  test("may make a provider of their own", () => {
    const flags = [
      { key: "providers.slow.kind", value: "echo" },
      { key: "providers.slow.model", value: "slow" },
      { key: "provider", value: "slow" },
    ];
    expect(read(null, { flags }).settings).toMatchObject({
      provider: "slow",
      providers: { slow: { kind: "echo" } },
    });
  });

  test("are judged by themselves, whatever the file says", () => {
    const outside = inputOf(null);
    expect(flagProblems([{ key: "server.port", value: 1 }], outside)).toEqual([]);
    expect(
      flagProblems(
        [
          { key: "server.port", value: "x", name: "--port" },
          { key: "no", value: 1 },
        ],
        outside,
      ),
    ).toEqual([
      { path: "no", message: expect.stringContaining("--set no: no is not a setting") },
      { path: "server.port", message: '--port: server.port must be a whole number (got "x")' },
    ]);
  });
});

test("an echo or a command of any name has its kind for a model", () => {
  const { settings } = read(
    '{"providers": {"one": {"kind": "echo"}, "two": {"kind": "command", "argv": ["cat"]}}}',
  );
  expect(settings.providers["one"]?.model).toBe("echo");
  expect(settings.providers["two"]?.model).toBe("command");
});

test("sources name every key of every provider", () => {
  const { sources } = read(commented);
  expect(Object.keys(sources)).toHaveLength(33 + 8 * 7);
  expect(sources["providers.local.baseUrl"]).toEqual({ source: "file" });
  expect(sources["providers.local.apiKey"]).toEqual({ source: "default" });
  expect(sources["providers.gemini.apiKey"]).toEqual({
    source: "default",
    reference: "env",
    resolved: false,
  });
});

test("a provider that cannot be used says why and what to do", () => {
  const { providers } = read(null).settings;
  expect(providers["gemini"]?.notReady).toBe(
    "providers.gemini has no API key; set providers.gemini.apiKey or the environment variable GEMINI_API_KEY",
  );
  expect(providers["command"]?.notReady).toBe("providers.command.argv names no program");
  expect(providers["echo"]?.notReady).toBeUndefined();
});
