import { describe, expect, test } from "bun:test";
import { type ChangePlan, planChange } from "../../src/settings/plan.ts";
import { type Around, read } from "./reading.ts";

function plan(before: unknown, after: unknown, around: Around = {}): ChangePlan {
  const [old, now] = [read(JSON.stringify(before), around), read(JSON.stringify(after), around)];
  const flagKeys = (around.flags ?? []).map(({ key }) => key);
  return planChange(old.settings, now.settings, flagKeys, { before: old.fromFile, after: now.fromFile });
}

const gateway = { kind: "openai", model: "m", baseUrl: "https://gateway.example" };

describe("the planner", () => {
  const rows: readonly (readonly [
    what: string,
    before: unknown,
    after: unknown,
    changed: readonly string[],
  ])[] = [
    ["nothing", {}, {}, []],
    ["a default that is written out", {}, { turn: { maxAttempts: 5 }, server: {} }, []],
    [
      "the order of keys",
      { log: { level: "warn" }, provider: "echo" },
      { provider: "echo", log: { level: "warn" } },
      [],
    ],
    ["an empty entry for one of the five", {}, { providers: { claude: {} } }, []],
    ["$schema", {}, { $schema: "x" }, []],
    ["one key", {}, { turn: { maxAttempts: 6 } }, ["turn.maxAttempts"]],
    ["a list's order", { fallback: ["echo", "claude"] }, { fallback: ["claude", "echo"] }, ["fallback"]],
    [
      "several, sorted",
      { turn: { mode: "batch" } },
      { log: { level: "warn" }, agents: { exclude: ["x"] } },
      ["agents.exclude", "log.level", "turn.mode"],
    ],
    [
      "a provider that is new",
      {},
      { providers: { mine: gateway } },
      ["providers.mine.baseUrl", "providers.mine.kind", "providers.mine.model"],
    ],
    [
      "a provider that is gone",
      { providers: { mine: { kind: "echo", model: "m" } } },
      {},
      ["providers.mine.kind", "providers.mine.model"],
    ],
    [
      "a provider's key",
      { providers: { mine: gateway } },
      { providers: { mine: { ...gateway, apiKey: "k" } } },
      ["providers.mine.apiKey"],
    ],
    [
      "user-info",
      { providers: { mine: gateway } },
      { providers: { mine: { ...gateway, baseUrl: "https://u:p@gateway.example" } } },
      ["providers.mine.baseUrl"],
    ],
    [
      "a temperature that is unset",
      { providers: { mine: { ...gateway, temperature: 0 } } },
      { providers: { mine: gateway } },
      ["providers.mine.temperature"],
    ],
    [
      "a literal that becomes a reference with its value",
      { turn: { system: "hello" } },
      { turn: { system: "$HELLO" } },
      [],
    ],
  ];
  test.each(rows)("tells %s", (_what, before, after, changed) => {
    expect(plan(before, after, { env: { HELLO: "hello" } }).changedKeys).toEqual([...changed]);
  });

  test("sorts changed keys by class", () => {
    const after = { turn: { mode: "batch", maxAttempts: 6 }, server: { port: 1, token: "secret" } };
    expect(plan({}, after)).toEqual({
      changedKeys: ["server.port", "server.token", "turn.maxAttempts", "turn.mode"],
      live: ["server.token", "turn.maxAttempts"],
      turn: ["turn.mode"],
      restart: ["server.port"],
      masked: [],
    });
  });

  test("lists a key that the file changes and a flag beats as masked, and not as changed", () => {
    const flags = [
      { key: "server.port", value: 9 },
      { key: "log.level", value: "warn" },
    ];
    expect(plan({}, { server: { port: 1 }, turn: { retryMs: 1 } }, { flags })).toMatchObject({
      changedKeys: ["turn.retryMs"],
      masked: ["server.port"],
    });
  });

  test("sees a change of a referenced file and of the environment", () => {
    const text =
      '{"turn": {"system": "file:x"}, "providers": {"mine": {"kind": "openai", "model": "m", "apiKey": "$K"}}}';
    const old = read(text, { files: { "/etc/segue/x": "one" }, env: { K: "1" } });
    const now = read(text, { files: { "/etc/segue/x": "two" }, env: { K: "2" } });
    expect(planChange(old.settings, now.settings, []).changedKeys).toEqual([
      "providers.mine.apiKey",
      "turn.system",
    ]);
  });
});
