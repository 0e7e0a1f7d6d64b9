import { describe, expect, test } from "bun:test";
import { planChange } from "../../src/settings/plan.ts";
import { Secrets } from "../../src/settings/secrets.ts";
import { read } from "./reading.ts";

const key = "sk-planted-0123456789";
const file = `// the old key was ${key}
{
  "provider": "claude",
  "providers": {
    "claude": { "apiKey": "${key}", "baseUrl": "https://us%65r:p%61ssw0rd@gateway.example/v1" },
    "openai": { "apiKey": "$OPENAI_KEY" },
    "gemini": { "apiKey": "file:gemini.key" },
    "command": { "argv": ["tool", "$TOOL_KEY", "--copy=${key}"] },
    "plain": { "kind": "openai", "model": "m", "baseUrl": "http://localhost:1234" },
  },
  "server": { "token": "planted-token" },
  "turn": { "system": "$$HOME" },
}
`;
const around = {
  env: { OPENAI_KEY: "planted-env-key", TOOL_KEY: "planted-tool-key", ANTHROPIC_API_KEY: "planted-unused" },
  files: { "/etc/segue/gemini.key": "planted-file-key\n" },
};
const planted = [
  key,
  "planted-token",
  "planted-env-key",
  "planted-tool-key",
  "planted-file-key",
  "passw0rd",
  "p%61ssw0rd",
];

describe("what may be shown of settings", () => {
  const { shown, maskedText, secrets } = read(file, around);

  test("holds no planted secret", () => {
    for (const secret of planted) {
      expect(JSON.stringify(shown)).not.toContain(secret);
      expect(maskedText).not.toContain(secret);
    }
  });

  test("shows references as written, literals masked, defaults included", () => {
    expect(shown).toMatchObject({
      provider: "claude",
      turn: { system: "$$HOME", maxAttempts: 5 },
      server: { token: "••••", port: 4747 },
      providers: {
        claude: { apiKey: "••••", baseUrl: "https://••••@gateway.example/v1" },
        openai: { apiKey: "$OPENAI_KEY", baseUrl: "https://api.openai.com" },
        gemini: { apiKey: "file:gemini.key" },
        command: { argv: ["tool", "$TOOL_KEY", "--copy=••••"], model: "command" },
        echo: { kind: "echo", delayMs: 0 },
      },
    });
  });

  test("leaves out what is unset, and shows a default key only where it holds", () => {
    expect(read(null).shown).toMatchObject({ providers: { claude: { apiKey: "$ANTHROPIC_API_KEY" } } });
    expect(JSON.stringify(read(null).shown)).not.toMatch(/"token"|temperature|notReady|userInfo/);
    expect(shown["providers"]).toMatchObject({
      plain: expect.not.objectContaining({ apiKey: expect.anything() }),
    });
  });

  test("keeps the text of the file but for its secrets", () => {
    const expected = file
      .replaceAll(key, "••••")
      .replace("us%65r:p%61ssw0rd", "••••")
      .replace("planted-token", "••••");
    expect(maskedText).toBe(expected);
    expect(read(null).maskedText).toBeNull();
  });

  test("names every secret that is in the settings", () => {
    for (const secret of [
      key,
      "planted-token",
      "planted-env-key",
      "planted-tool-key",
      "planted-file-key",
      "user:passw0rd",
      "passw0rd",
    ]) {
      expect(secrets).toContain(secret);
    }
    expect(secrets).not.toContain("tool");
  });
});

test("shown settings, written to a file, give the same settings", () => {
  const text = '{"turn": {"system": "$$HOME"}, "providers": {"mine": {"kind": "openai", "model": "m"}}}';
  const { shown, settings } = read(text);
  expect(planChange(settings, read(JSON.stringify(shown)).settings, []).changedKeys).toEqual([]);
});

test("a key that is a common word hides nothing but itself", () => {
  const { shown, maskedText } = read(
    '{"provider": "ollama", "providers": {"ollama": {"kind": "openai", "model": "ollama", "apiKey": "ollama", "baseUrl": "http://ollama:11434"}}}',
  );
  expect(shown).toMatchObject({
    provider: "ollama",
    providers: { ollama: { model: "ollama", apiKey: "••••" } },
  });
  expect(maskedText).toContain('"apiKey": "••••", "baseUrl": "http://ollama:11434"');
});

describe("Secrets", () => {
  const secrets = new Secrets();
  secrets.learn([
    "sk-ant/0123+456=789",
    "user:pa ss",
    'quo"te-and-more',
    "short",
    "xy",
    "sk-ant/0123+456=789-longer",
  ]);

  test.each([
    ["key sk-ant/0123+456=789 refused", "key •••• refused"],
    ["twice: sk-ant/0123+456=789sk-ant/0123+456=789", "twice: ••••••••"],
    ["sk-ant/0123+456=789-longer", "••••"],
    ["GET /?key=sk-ant%2F0123%2B456%3D789&x", "GET /?key=••••&x"],
    [`Basic ${btoa("user:pa ss")}`, "Basic ••••"],
    [JSON.stringify({ error: 'bad quo"te-and-more' }), '{"error":"bad ••••"}'],
    ["a short word, shortly, (short)", "a •••• word, shortly, (••••)"],
    ["xy is not searched for", "xy is not searched for"],
    ["cut at the end: sk-ant/0123", "cut at the end: ••••"],
    ["0123+456=789 is the end of one", "•••• is the end of one"],
    ["nothing to hide", "nothing to hide"],
    ["", ""],
  ])("%j becomes %j", (text, redacted) => expect(secrets.redact(text)).toBe(redacted));

  test("keep what they learnt before", () => {
    const keeper = new Secrets();
    keeper.learn(["old-secret-value"]);
    keeper.learn(["new-secret-value"]);
    keeper.learn([]);
    expect(keeper.redact("old-secret-value, new-secret-value")).toBe("••••, ••••");
  });

  test("that are none change nothing", () => expect(new Secrets().redact("any text")).toBe("any text"));
});
