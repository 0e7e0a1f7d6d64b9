import { expect, test } from "bun:test";
import { changeClasses } from "../../src/settings/key.ts";
import { findKey, settingsKeys } from "../../src/settings/keys.ts";
import { jsonSchema } from "../../src/settings/schema.ts";
import { defaultsOf } from "../../src/settings/vendors.ts";
import { read } from "./reading.ts";

/** Key, default and class as users were promised; a default that depends on the kind is left out. */
const promised: readonly (readonly [key: string, initial: unknown, takesEffect: string])[] = [
  ["provider", "echo", "turn"],
  ["fallback", [], "turn"],
  ["turn.system", "", "turn"],
  ["turn.timeoutMs", 120_000, "turn"],
  ["turn.maxDurationMs", 900_000, "turn"],
  ["turn.maxAttempts", 5, "live"],
  ["turn.retryMs", 2000, "live"],
  ["turn.mode", "single", "turn"],
  ["turn.batchMax", 20, "turn"],
  ["turn.rolloverTokens", 150_000, "turn"],
  ["turn.rolloverKeep", 2, "turn"],
  ["limits.turnsPerProvider", 4, "live"],
  ["limits.tokensPerDay", 0, "live"],
  ["limits.maxPendingPerSession", 10_000, "live"],
  ["limits.maxMessageBytes", 1_048_576, "live"],
  ["sessions.idleUnloadMs", 300_000, "live"],
  ["reload.mode", "auto", "live"],
  ["reload.debounceMs", 500, "live"],
  ["reload.pollMs", 2000, "live"],
  ["reload.staggerMs", 2000, "live"],
  ["reload.guard", "endpoint", "live"],
  ["daemon.graceMs", 20_000, "live"],
  ["server.host", "127.0.0.1", "restart"],
  ["server.port", 4747, "restart"],
  ["server.token", undefined, "live"],
  ["storage.durability", "full", "live"],
  ["storage.keepDays", 0, "live"],
  ["storage.keepEventsDays", 7, "live"],
  [
    "agents.skipTools",
    ["TodoWrite", "AskUserQuestion", "ListMcpResourcesTool", "SlashCommand", "Skill"],
    "live",
  ],
  ["agents.exclude", [], "live"],
  ["agents.memories", 3, "live"],
  ["log.level", "info", "live"],
  ["providers.NAME.kind", undefined, "turn"],
  ["providers.NAME.model", undefined, "turn"],
  ["providers.NAME.baseUrl", undefined, "turn"],
  ["providers.NAME.apiKey", undefined, "turn"],
  ["providers.NAME.maxOutputTokens", 4096, "turn"],
  ["providers.NAME.temperature", undefined, "turn"],
  ["providers.NAME.argv", [], "turn"],
  ["providers.NAME.delayMs", 0, "turn"],
];

test.each(promised)("%s has its promised default and class", (name, initial, takesEffect) => {
  const key = settingsKeys().find(({ key }) => key === name);
  expect(key?.default).toEqual(initial);
  expect<string | undefined>(key?.class).toBe(takesEffect);
});

test("the table has the promised keys and agents.prompt, and no other", () => {
  const names = settingsKeys().map(({ key }) => key);
  expect(names.toSorted()).toEqual([...promised.map(([name]) => name), "agents.prompt"].toSorted());
});

test("every key has a class, a description and a default that can be shown", () => {
  for (const key of settingsKeys()) {
    expect(changeClasses).toContain(key.class);
    expect(key.description).toMatch(/^[A-Z`].*\.$/s);
    expect(key.shownDefault).not.toMatch(/^$|undefined/);
  }
});

test("every key that counts has a unit or is a port, and a range", () => {
  for (const key of settingsKeys().filter(({ form }) => form === "whole number")) {
    expect(key.unit ?? key.key).toMatch(
      /^(ms|days|bytes|tokens|messages|turns|attempts|server\.port|agents\.memories)$/,
    );
    expect(key.min).toBeNumber();
    expect(key.max).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
    if (key.key.endsWith("Ms")) expect(key.unit).toBe("ms");
  }
});

test("keys and tokens are secret, and nothing else", () => {
  const secret = settingsKeys().filter(({ secret }) => secret);
  expect(secret.map(({ key }) => key)).toEqual(["providers.NAME.apiKey", "server.token"]);
});

test("a key of a provider is found under the provider's own name, dots in it included", () => {
  expect(findKey("providers.gpt-4.1.model")?.key).toBe("providers.NAME.model");
  expect(findKey("providers.gpt-4.1")).toBeUndefined();
  expect(findKey("turn.nothing")).toBeUndefined();
});

test("no file means the defaults, with the five providers", () => {
  const { settings } = read(null);
  expect(settings.provider).toBe("echo");
  expect(Object.keys(settings.providers).toSorted()).toEqual([
    "claude",
    "command",
    "echo",
    "gemini",
    "openai",
  ]);
  expect(settings.providers["claude"]).toMatchObject({
    kind: "claude",
    model: defaultsOf("claude").model,
    baseUrl: "https://api.anthropic.com",
    maxOutputTokens: 4096,
  });
  expect(settings.providers["constructor"]).toBeUndefined();
  expect(read("{}").settings).toEqual(settings);
});

test("the JSON Schema describes every key for editors and says nothing that JSON Schema does not know", () => {
  const schema = JSON.parse(JSON.stringify(jsonSchema()));
  expect(schema).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    additionalProperties: false,
    required: [],
    properties: {
      $schema: { type: "string" },
      turn: { properties: { maxAttempts: { type: "integer", minimum: 1, default: 5 } } },
    },
  });
  for (const { path, description } of settingsKeys()) {
    const [group = "", name = ""] = path;
    const entries =
      group === "providers" ? schema.properties.providers.additionalProperties : schema.properties[group];
    const shape = name === "" ? entries : entries.properties[path.at(-1) ?? ""];
    expect(shape.description).toStartWith(description);
    expect(Object.keys(shape).filter((word) => !known.has(word))).toEqual([]);
  }
});

const known = new Set(["writeOnly", "type", "enum", "items", "minimum", "maximum", "default", "description"]);
