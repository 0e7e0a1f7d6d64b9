import { describe, expect, test } from "bun:test";
import type { RestartReason } from "../../src/core/events.ts";
import {
  type Binding,
  type BindingInputs,
  bindingOf,
  fallbackBindings,
  restartReason,
  withOptionsOf,
} from "../../src/sessions/binding.ts";
import { identityOf } from "../../src/providers/identity.ts";
import type { Settings } from "../../src/settings/schema.ts";
import { read } from "../settings/reading.ts";

const base = {
  provider: "mine",
  providers: {
    mine: { kind: "openai", baseUrl: "http://one.example/v1", model: "m", apiKey: "key-one" },
    other: { kind: "claude", baseUrl: "http://two.example", model: "o", apiKey: "key-two" },
    spare: { kind: "command", model: "s", argv: ["true"] },
  },
};

function settings(change: Record<string, unknown> = {}): Settings {
  return read(JSON.stringify({ ...base, ...change })).settings;
}

function mine(change: Record<string, unknown>): Settings {
  return settings({ providers: { ...base.providers, mine: { ...base.providers.mine, ...change } } });
}

function inputs(overrides: Partial<BindingInputs["overrides"]> = {}, system: string | null = null) {
  return { overrides: { provider: null, model: null, mode: null, ...overrides }, system };
}

const plain = bindingOf(settings(), inputs());

const changes: [what: string, after: Binding, reason: RestartReason][] = [
  ["the provider", bindingOf(settings({ provider: "other" }), inputs()), "provider_changed"],
  ["the session's provider", bindingOf(settings(), inputs({ provider: "other" })), "provider_changed"],
  ["the kind", bindingOf(mine({ kind: "claude" }), inputs()), "provider_changed"],
  ["the model", bindingOf(mine({ model: "n" }), inputs()), "model_changed"],
  ["the session's model", bindingOf(settings(), inputs({ model: "n" })), "model_changed"],
  ["the endpoint", bindingOf(mine({ baseUrl: "http://x.example/v1" }), inputs()), "endpoint_changed"],
  ["the key", bindingOf(mine({ apiKey: "key-new" }), inputs()), "credentials_changed"],
  [
    "the user-info of the endpoint",
    bindingOf(mine({ baseUrl: "http://u:p@one.example/v1" }), inputs()),
    "credentials_changed",
  ],
  ["maxOutputTokens", bindingOf(mine({ maxOutputTokens: 7 }), inputs()), "options_changed"],
  ["temperature", bindingOf(mine({ temperature: 0 }), inputs()), "options_changed"],
  ["turn.system", bindingOf(settings({ turn: { system: "Be brief." } }), inputs()), "options_changed"],
  ["the session's system", bindingOf(settings(), inputs({}, "Be brief.")), "options_changed"],
  ["turn.timeoutMs", bindingOf(settings({ turn: { timeoutMs: 7 } }), inputs()), "options_changed"],
  ["turn.maxDurationMs", bindingOf(settings({ turn: { maxDurationMs: 7 } }), inputs()), "options_changed"],
  ["turn.mode", bindingOf(settings({ turn: { mode: "batch" } }), inputs()), "options_changed"],
  ["the session's mode", bindingOf(settings(), inputs({ mode: "batch" })), "options_changed"],
  ["turn.batchMax", bindingOf(settings({ turn: { batchMax: 7 } }), inputs()), "options_changed"],
  ["turn.rolloverTokens", bindingOf(settings({ turn: { rolloverTokens: 7 } }), inputs()), "options_changed"],
  ["turn.rolloverKeep", bindingOf(settings({ turn: { rolloverKeep: 7 } }), inputs()), "options_changed"],
  ["fallback", bindingOf(settings({ fallback: ["other"] }), inputs()), "options_changed"],
];

describe("a binding", () => {
  test.each(changes)("is another when %s is", (_what, after, reason) => {
    expect(after.fingerprint).not.toBe(plain.fingerprint);
    expect(restartReason(plain, after)).toBe(reason);
  });

  test("is the same for equal settings, whatever else they say", () => {
    const same = [
      settings(),
      settings({ turn: { maxAttempts: 9, retryMs: 1 }, limits: { turnsPerProvider: 1 } }),
      settings({ providers: { ...base.providers, other: { ...base.providers.other, apiKey: "key-three" } } }),
      settings({ providers: { ...base.providers, another: { kind: "echo", model: "x", delayMs: 3 } } }),
      settings({ reload: { guard: "off" }, log: { level: "debug" } }),
    ];
    for (const each of same) expect(bindingOf(each, inputs()).fingerprint).toBe(plain.fingerprint);
  });

  test("is the same whether a session asks for what it would get or follows the settings", () => {
    const asking = inputs({ provider: "mine", model: "m", mode: "single" }, "");
    expect(bindingOf(settings(), asking).fingerprint).toBe(plain.fingerprint);
  });

  test("says nothing of its key in what it is known by", () => {
    expect(plain.fingerprint).not.toContain("key");
    expect(JSON.stringify(identityOf(plain.config))).not.toContain("key-one");
  });

  test("of a provider that is not there cannot be used, and is no other", () => {
    const nowhere = bindingOf(settings(), inputs({ provider: "gone" }));
    expect(nowhere.provider).toBe("gone");
    expect(nowhere.problem).toContain("gone");
  });

  test("of a provider that is not ready says why", () => {
    const unready = bindingOf(settings(), inputs({ provider: "gemini" }));
    expect(unready.problem).toContain("apiKey");
    expect(plain.problem).toBeNull();
  });
});

test("of several changes the first of provider, model, endpoint, credentials and options is the reason", () => {
  const all = bindingOf(mine({ model: "n", baseUrl: "http://x.example/v1", apiKey: "k2" }), inputs());
  expect(restartReason(plain, all)).toBe("model_changed");
  const noModel = bindingOf(mine({ baseUrl: "http://x.example/v1", apiKey: "k2", temperature: 1 }), inputs());
  expect(restartReason(plain, noModel)).toBe("endpoint_changed");
  const keyAndOptions = bindingOf(mine({ apiKey: "k2", temperature: 1 }), inputs());
  expect(restartReason(plain, keyAndOptions)).toBe("credentials_changed");
});

describe("fallbacks", () => {
  const withFallback = settings({ fallback: ["mine", "other", "gemini", "spare"] });

  test("are the names in order, without the session's own and without those that are not ready", () => {
    const own = bindingOf(withFallback, inputs());
    const names = fallbackBindings(withFallback, inputs(), own).map(({ provider }) => provider);
    expect(names).toEqual(["other", "spare"]);
    const pinned = inputs({ provider: "other" });
    const forOther = fallbackBindings(withFallback, pinned, bindingOf(withFallback, pinned));
    expect(forOther.map(({ provider }) => provider)).toEqual(["mine", "spare"]);
  });

  test("have their own model: the session's belongs to its provider", () => {
    const pinned = inputs({ provider: "mine", model: "special", mode: "batch" }, "Mine.");
    const [fallback] = fallbackBindings(withFallback, pinned, bindingOf(withFallback, pinned));
    expect(fallback?.config.model).toBe("o");
    expect(fallback?.options).toMatchObject({ mode: "batch", system: "Mine." });
  });
});

test("who goes back takes endpoint, key and model of before and the options of now", () => {
  const wanted = bindingOf(settings({ provider: "other", turn: { system: "New.", timeoutMs: 7 } }), inputs());
  const back = withOptionsOf(plain, wanted);
  expect(back.config).toEqual(plain.config);
  expect(back.options).toEqual(wanted.options);
  expect(identityOf(back.config).binding).toBe(identityOf(plain.config).binding);
  expect(new Set([back.fingerprint, plain.fingerprint, wanted.fingerprint]).size).toBe(3);
});
