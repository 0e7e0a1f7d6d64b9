import { describe, expect, test } from "bun:test";
import { planChange } from "../../src/settings/plan.ts";
import { migratedText } from "../../src/settings/migrate.ts";
import { problemsOf, read } from "./reading.ts";

/** What claude-mem writes where nothing was chosen; the rest of its keys mean nothing here. */
const defaults = {
  CLAUDE_MEM_MODEL: "claude-haiku-4-5-20251001",
  CLAUDE_MEM_CONTEXT_OBSERVATIONS: "50",
  CLAUDE_MEM_WORKER_PORT: "37700",
  CLAUDE_MEM_WORKER_HOST: "127.0.0.1",
  CLAUDE_MEM_SKIP_TOOLS: "ListMcpResourcesTool,SlashCommand, Skill",
  CLAUDE_MEM_PROVIDER: "claude",
  CLAUDE_MEM_CLAUDE_AUTH_METHOD: "subscription",
  CLAUDE_MEM_GEMINI_API_KEY: "",
  CLAUDE_MEM_GEMINI_MODEL: "gemini-flash-latest",
  CLAUDE_MEM_GEMINI_RATE_LIMITING_ENABLED: "true",
  CLAUDE_MEM_OPENROUTER_API_KEY: "",
  CLAUDE_MEM_OPENROUTER_MODEL: "cohere/north-mini-code:free",
  CLAUDE_MEM_OPENROUTER_BASE_URL: "",
  CLAUDE_MEM_OPENROUTER_SITE_URL: "",
  CLAUDE_MEM_DATA_DIR: "/home/someone/.claude-mem",
  CLAUDE_MEM_LOG_LEVEL: "INFO",
  CLAUDE_CODE_PATH: "",
  CLAUDE_MEM_EXCLUDED_PROJECTS: "",
  CLAUDE_MEM_CHROMA_API_KEY: "",
  CLAUDE_MEM_REDACT_CUSTOM_PATTERNS: "[]",
};
const shapes = [
  ["flat", (keys: object) => JSON.stringify(keys, null, 2)],
  ["nested", (keys: object) => JSON.stringify({ env: keys }, null, 2)],
] as const;

type Keys = Record<string, unknown>;
const inForce = (keys: Keys) => read(JSON.stringify(keys)).settings;
const named = (keys: Keys): Keys =>
  Object.fromEntries(Object.entries(keys).map(([name, value]) => [`CLAUDE_MEM_${name}`, value]));
const openai = (keys: Keys) => inForce(named(keys)).providers["openai"];

describe.each(shapes)("claude-mem's file, %s,", (shape, render) => {
  test("as it is written at first is accepted without any key, and its values are in effect", () => {
    const { settings, sources, legacy } = read(render(defaults));
    expect(settings).toMatchObject({
      provider: "claude",
      providers: {
        claude: {
          model: "claude-haiku-4-5-20251001",
          notReady: expect.stringContaining("ANTHROPIC_API_KEY"),
        },
        gemini: { model: "gemini-flash-latest" },
        openai: { model: "cohere/north-mini-code:free", baseUrl: "https://openrouter.ai/api/v1" },
      },
      server: { host: "127.0.0.1", port: 37_700 },
      log: { level: "info" },
      agents: { skipTools: ["ListMcpResourcesTool", "SlashCommand", "Skill"], exclude: [] },
    });
    expect(sources["server.port"]).toEqual({ source: "legacy" });
    expect(sources["turn.maxAttempts"]).toEqual({ source: "default" });
    const where = shape === "nested" ? "env." : "";
    expect(legacy?.ignored).toEqual(
      [
        "CONTEXT_OBSERVATIONS",
        "CLAUDE_AUTH_METHOD",
        "GEMINI_RATE_LIMITING_ENABLED",
        "OPENROUTER_SITE_URL",
        "DATA_DIR",
        "CODE_PATH",
        "CHROMA_API_KEY",
        "REDACT_CUSTOM_PATTERNS",
      ].map((name) => `${where}${name === "CODE_PATH" ? "CLAUDE_" : "CLAUDE_MEM_"}${name}`),
    );
  });

  test.each([
    ["claude", {}],
    ["gemini", { GEMINI_API_KEY: "real-gemini-key" }],
    ["gemini", { GEMINI_API_KEY: "" }],
    ["openrouter", { OPENROUTER_API_KEY: "real-router-key" }],
    ["openrouter", { OPENROUTER_API_KEY: "" }],
    ["openai", { OPENAI_API_KEY: "real-openai-key", OPENAI_MODEL: "gpt-x" }],
  ])("with provider %s and %j is not refused", (provider, keys) => {
    const text = render({ ...defaults, CLAUDE_MEM_PROVIDER: provider, ...named(keys) });
    expect(problemsOf(text)).toEqual([]);
    expect(read(text).settings.provider).toBe(provider === "openrouter" ? "openai" : provider);
  });

  test("becomes Segue's own with the same settings, and says where each value came from", () => {
    const keys = {
      ...defaults,
      ...named({
        PROVIDER: "openrouter",
        OPENROUTER_API_KEY: "real-router-key",
        CLAUDE_MAX_TOKENS: "200000",
        BATCHING_ENABLED: "true",
      }),
    };
    const bytes = new TextEncoder().encode(render(keys));
    const text = migratedText(bytes) ?? "";
    expect(read(text).legacy).toBeUndefined();
    expect(planChange(read(bytes).settings, read(text).settings, []).changedKeys).toEqual([]);
    const where = shape === "nested" ? "env." : "";
    expect(text).toContain(`"provider": "openai", // ${where}CLAUDE_MEM_PROVIDER\n`);
    expect(text).toContain(
      `"baseUrl": "https://openrouter.ai/api/v1", // implied by ${where}CLAUDE_MEM_OPENROUTER_API_KEY`,
    );
    expect(text).toContain(`  //   ${where}CLAUDE_MEM_DATA_DIR\n`);
  });
});

describe("of claude-mem's keys", () => {
  test.each([
    [{ CLAUDE_MAX_TOKENS: "100000" }, { turn: { rolloverTokens: 90_000 } }],
    [{ CLAUDE_MAX_TOKENS: "100000", CLAUDE_ROLLOVER_ENABLED: "false" }, { turn: { rolloverTokens: 0 } }],
    [{ CLAUDE_ROLLOVER_ENABLED: "true" }, { turn: { rolloverTokens: 150_000 } }],
    [{ BATCHING_ENABLED: "true", BATCH_MAX_SIZE: "7" }, { turn: { mode: "batch", batchMax: 7 } }],
    [{ BATCHING_ENABLED: false, BATCH_MAX_SIZE: 8 }, { turn: { mode: "single", batchMax: 8 } }],
    [
      { WORKER_HOST: "localhost", WORKER_PORT: "0", LOG_LEVEL: "DEBUG" },
      { server: { host: "localhost", port: 0 }, log: { level: "debug" } },
    ],
    [{ WORKER_HOST: "0.0.0.0" }, { server: { host: "127.0.0.1" } }],
    [{ SKIP_TOOLS: "" }, { agents: { skipTools: [] } }],
    [{ EXCLUDED_PROJECTS: "/a/*,/b" }, { agents: { exclude: ["/a/*", "/b"] } }],
    [
      { GEMINI_BASE_URL: "http://localhost:9", MODEL: "" },
      { provider: "claude", providers: { gemini: { baseUrl: "http://localhost:9" } } },
    ],
  ])("%j is in effect", (keys, expected) => {
    expect(inForce(named(keys))).toMatchObject(expected);
  });

  test("an empty new key never beats a real old one, and a real new one does", () => {
    expect(
      openai({
        OPENAI_API_KEY: "",
        OPENAI_MODEL: " ",
        OPENAI_BASE_URL: "",
        OPENROUTER_API_KEY: "old-key",
        OPENROUTER_MODEL: "old",
        OPENROUTER_BASE_URL: "http://localhost:1/v1",
      }),
    ).toMatchObject({
      apiKey: "old-key",
      model: "old",
      baseUrl: "http://localhost:1/v1",
    });
    expect(
      openai({
        OPENAI_API_KEY: "new-key",
        OPENAI_MODEL: "new",
        OPENROUTER_API_KEY: "old-key",
        OPENROUTER_MODEL: "old",
      }),
    ).toMatchObject({
      apiKey: "new-key",
      model: "new",
      baseUrl: "https://api.openai.com",
    });
    expect(
      openai({ PROVIDER: "openrouter", OPENAI_API_KEY: "new-key", OPENROUTER_API_KEY: "old-key" }),
    ).toMatchObject({
      apiKey: "old-key",
      baseUrl: "https://openrouter.ai/api/v1",
    });
  });

  test("a key of OpenAI's is never sent to OpenRouter by default", () => {
    expect(
      openai({ PROVIDER: "openrouter", OPENAI_API_KEY: "new-key", OPENROUTER_MODEL: "old" })?.baseUrl,
    ).toBe("https://api.openai.com");
  });
});

describe("a file of claude-mem's", () => {
  test("that has settings of Segue too is refused, at the first of them", () => {
    const text = '{\n  "CLAUDE_MEM_MODEL": "m",\n  "provider": "echo"\n}';
    expect(problemsOf(text)).toMatchObject([
      { path: "provider", line: 3, column: 3, message: expect.stringContaining("segue migrate") },
    ]);
    expect(problemsOf('{ "env": { "CLAUDE_MEM_MODEL": "m" }, "turn": {} }')).toMatchObject([
      { path: "turn" },
    ]);
    expect(problemsOf('{ "$schema": "x", "CLAUDE_MEM_MODEL": "m" }')).toEqual([]);
  });

  test("reports what stands beside env", () => {
    const { legacy } = read(
      '{ "env": { "CLAUDE_MEM_MODEL": "m", "ANTHROPIC_LOG": "x" }, "permissions": {}, "CLAUDE_MEM_MODEL": "n" }',
    );
    expect(legacy?.ignored).toEqual(["env.ANTHROPIC_LOG", "permissions", "CLAUDE_MEM_MODEL"]);
  });

  test("env alone, without any key of claude-mem's, is not one", () => {
    expect(problemsOf('{ "env": { "PATH": "/bin" } }')).toMatchObject([{ path: "env" }]);
  });

  test.each([
    [{ WORKER_PORT: "many" }, 'CLAUDE_MEM_WORKER_PORT: server.port must be a whole number (got "many")'],
    [{ LOG_LEVEL: "LOUD" }, "CLAUDE_MEM_LOG_LEVEL: log.level must be one of"],
    [{ PROVIDER: "cloud" }, 'CLAUDE_MEM_PROVIDER: provider must be a name in providers; there is no "cloud"'],
    [{ MODEL: ["x"] }, "CLAUDE_MEM_MODEL must be text"],
    [{ GEMINI_API_KEY: "söcret" }, "CLAUDE_MEM_GEMINI_API_KEY: providers.gemini.apiKey must be"],
  ])("with %j is told what is wrong and where", (keys, message) => {
    const [problem, ...rest] = problemsOf(JSON.stringify(named(keys), null, 2));
    expect(problem).toMatchObject({ message: expect.stringContaining(message), line: 2 });
    expect(rest).toEqual([]);
    expect(JSON.stringify(problem)).not.toContain("söcret");
  });

  test("given a key twice is refused", () => {
    expect(problemsOf('{ "CLAUDE_MEM_MODEL": "a",\n "CLAUDE_MEM_MODEL": "b" }')).toMatchObject([
      { path: "CLAUDE_MEM_MODEL", line: 2 },
    ]);
  });

  test("shows no secret, whether it is in use or not", () => {
    const keys = named({
      GEMINI_API_KEY: "marked-gemini-key",
      OPENAI_API_KEY: "marked-openai-key",
      OPENROUTER_API_KEY: "marked-router-key",
      CHROMA_API_KEY: "marked-chroma-key",
      CLOUD_SYNC_TOKEN: "marked-sync-token",
      REDIS_URL: "redis://me:marked-password@localhost",
      OPENAI_BASE_URL: "https://me:marked-login@localhost/v1",
    });
    for (const text of [
      JSON.stringify(keys),
      JSON.stringify({ env: { ...keys, ANTHROPIC_AUTH_TOKEN: "marked-beside" } }),
    ]) {
      const { shown, maskedText, secrets } = read(text);
      expect(JSON.stringify([shown, maskedText])).not.toContain("marked");
      expect(secrets).toContain("marked-router-key");
    }
  });
});
