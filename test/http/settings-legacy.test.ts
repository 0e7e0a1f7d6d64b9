import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { refusal } from "./asking.ts";
import { startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const legacy = {
  CLAUDE_MEM_PROVIDER: "openrouter",
  CLAUDE_MEM_OPENROUTER_API_KEY: "marked-router-key",
  CLAUDE_MEM_CHROMA_API_KEY: "marked-chroma-key",
  CLAUDE_MEM_MODE: "code",
};

test("claude-mem's settings are in force as they are, and what they hold in vain is listed", async () => {
  const app = await startApp(legacy);
  expect(await app.json("/api/settings")).toMatchObject({
    settings: {
      provider: "openai",
      providers: { openai: { apiKey: "••••", baseUrl: "https://openrouter.ai/api/v1" } },
    },
    sources: { "providers.openai.apiKey": { source: "legacy" } },
  });
  expect(await app.json("/api/settings/status")).toMatchObject({
    ignored: ["CLAUDE_MEM_CHROMA_API_KEY", "CLAUDE_MEM_MODE"],
  });
});

test("nothing is written back into them: edits are refused and the way out is named", async () => {
  const app = await startApp(legacy);
  for (const method of ["PATCH", "PUT"])
    expect(
      await refusal(await app.ask("/api/settings", { method, json: { turn: { maxAttempts: 3 } } })),
    ).toBe("409 legacy_settings");
  expect(readFileSync(app.settingsPath, "utf8")).toBe(JSON.stringify(legacy));
});

test("a rollback stays within one form, and keeps the secrets of now in either", async () => {
  const app = await startApp(legacy);
  const other = {
    ...legacy,
    CLAUDE_MEM_LOG_LEVEL: "WARN",
    CLAUDE_MEM_OPENROUTER_API_KEY: "marked-router-two",
  };
  await app.edit(other);
  const rollback = (revision: number) => app.ask("/api/settings/rollback", { json: { revision } });
  expect(await (await rollback(1)).json()).toMatchObject({
    revision: 3,
    kept: ["CLAUDE_MEM_OPENROUTER_API_KEY", "CLAUDE_MEM_CHROMA_API_KEY"],
  });
  expect(JSON.parse(readFileSync(app.settingsPath, "utf8"))).toEqual({
    ...legacy,
    CLAUDE_MEM_OPENROUTER_API_KEY: "marked-router-two",
  });
  expect(JSON.stringify(await app.json("/api/settings/history"))).not.toContain("marked");
  await app.edit({ provider: "echo" });
  expect(await refusal(await rollback(1))).toBe("409 legacy_settings");
});

test("a provider without a key is no problem of them: its sessions wait for one", async () => {
  const app = await startApp({ CLAUDE_MEM_MODEL: "claude-x" });
  await app.post("a", "hello");
  expect(await app.json("/api/sessions/a")).toMatchObject({
    state: "waiting",
    waitingFor: "key",
    provider: "claude",
  });
});
