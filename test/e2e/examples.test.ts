import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { startAimock } from "../support/aimock.ts";
import { projectFolder } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { runSegue, startSegue, type Segue } from "../support/segue.ts";
import type { MessageAnswer } from "./answers.ts";
import { messagesOf } from "./conversations.ts";
import { exampleText, UserShell } from "./user-shell.ts";

setDefaultTimeout(60_000);

const hasTools = ["curl", "jq"].every((name) => Bun.which(name) !== null);
const files = readdirSync(join(projectFolder, "src", "examples")).filter((name) => !name.endsWith(".ts"));
const ended = { exitCode: 0, stderr: "" };

test("every file of the examples is listed, and printed as it stands", async () => {
  const { stdout } = await runSegue(["examples", "--json"]);
  const { items }: { items: { name: string }[] } = JSON.parse(stdout);
  expect(items.map(({ name }) => name).toSorted()).toEqual(files.toSorted());
  const printed = await Promise.all(files.map(exampleText));
  for (const [at, name] of files.entries())
    expect(printed[at]).toBe(readFileSync(join(projectFolder, "src", "examples", name), "utf8"));
});

test.skipIf(!Bun.which("shellcheck"))(
  "the scripts among them are without a finding of shellcheck",
  async () => {
    const shell = await UserShell.open();
    const scripts = files.filter((name) => name.endsWith(".sh"));
    for (const name of scripts) await shell.take(name);
    expect(await shell.run(["shellcheck", ...scripts])).toMatchObject({ exitCode: 0, stdout: "" });
  },
);

describe.skipIf(!hasTools)("with curl and jq", () => {
  test("chat.sh prints the reply to each line, once", async () => {
    const daemon = await startSegue({ settings: {} });
    const shell = await UserShell.open({ daemon });
    const script = await shell.take("chat.sh");
    const chat = await shell.run(["sh", script, "talk"], 'Hello\n\nHow "are" you? \\n\n');
    expect(chat).toMatchObject({ ...ended, stdout: 'Hello\nHow "are" you? \\n\n' });
    expect(await messagesOf(daemon, "talk")).toHaveLength(2);
    await daemon.stop();
  });

  test("chat.sh tells of a message that failed, and of a daemon that refuses it", async () => {
    const argv = ["sh", "-c", "exit 1"];
    const daemon = await startSegue({
      settings: {
        provider: "command",
        providers: { command: { argv } },
        turn: { maxAttempts: 1 },
        limits: { maxMessageBytes: 20 },
      },
    });
    const shell = await UserShell.open({ daemon });
    const script = await shell.take("chat.sh");
    expect((await shell.run(["sh", script], "Hello\n")).stdout).toMatch(/^\(failed: /);
    const refused = await shell.run(["sh", script], "This is longer than it may be\n");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("too_large");
    await daemon.stop();
  });

  test("watch-events.sh tells of everything once, over its own end and the daemon's", async () => {
    const daemon = await startSegue({ settings: {} });
    const shell = await UserShell.open({ daemon });
    const script = await shell.take("watch-events.sh");
    const post = async (on: Segue, content: string): Promise<void> =>
      void (await on.post("/api/sessions/watched/messages", { content }, { Prefer: "wait=20" }));

    const first = shell.start(["sh", script, "place"]);
    await post(daemon, "one");
    const { id } = await daemon.nextEvent(0, ({ type }) => type === "message.done");
    const place = join(shell.folder, "place");
    await eventually("its place is kept", () => readFileSync(place, "utf8").trim() === String(id));
    await first.kill();
    await post(daemon, "two");
    await daemon.stop();
    const again = await daemon.restart({ port: Number(new URL(daemon.url).port) });
    const second = shell.start(["sh", script, "place"]);
    await post(again, "three");
    await eventually("what was missed, and what is new", () => doneIn(second.stdout) >= 2);
    const lines = `${first.stdout}${second.stdout}`.split("\n").filter((line) => line !== "");
    expect(lines.filter((line) => line.split("\t")[1] === "message.done")).toHaveLength(3);
    expect(new Set(lines).size).toBe(lines.length);
    await second.kill();
    await again.stop();
  });
});

function doneIn(output: string): number {
  return output.match(/\tmessage\.done\t/g)?.length ?? 0;
}

test.skipIf(!Bun.which("git"))("git-log.sh asks for a summary once, however often it runs", async () => {
  const daemon = await startSegue({ settings: {} });
  const shell = await UserShell.open({ daemon });
  const script = await shell.take("git-log.sh");
  const commit = async (repository: string, at: string): Promise<void> => {
    const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    const what = ["commit", "--quiet", "--allow-empty", "-m", "pump: lets no water back"];
    const git = ["env", `GIT_COMMITTER_DATE=${at}`, "git"];
    expect(await shell.run([...git, "init", "--quiet", repository])).toMatchObject({ exitCode: 0 });
    expect(await shell.run([...git, "-C", repository, ...who, ...what])).toMatchObject({ exitCode: 0 });
  };
  await commit("my project", "");
  await commit("at rest", "2020-02-02T00:00:00Z");
  for (let time = 0; time < 2; time++) {
    const { exitCode, stdout } = await shell.run(["sh", script, "my project"]);
    expect(exitCode).toBe(0);
    // The provider says back what it is told.
    expect(stdout).toMatch(/^Summarise this git log .*\n\n[\d-]+ Ada: pump: lets no water back\n/);
  }
  expect(await messagesOf(daemon, "git-log:my-project")).toHaveLength(1);
  expect(await shell.run(["sh", script, "at rest"])).toMatchObject({ exitCode: 0, stdout: "" });
  await daemon.stop();
});

test("coding-agent.sh connects an agent, whose work is then remembered", async () => {
  const daemon = await startSegue({ settings: {} });
  const config = join(dirname(daemon.dataDir), "agent");
  mkdirSync(config);
  const shell = await UserShell.open({ daemon, env: { CLAUDE_CONFIG_DIR: config } });
  const script = await shell.take("coding-agent.sh");
  expect(await shell.run(["sh", script])).toMatchObject({ exitCode: 0 });

  const { hooks }: { hooks: Record<string, { hooks: { type: string; url?: string }[] }[]> } = JSON.parse(
    readFileSync(join(config, "settings.json"), "utf8"),
  );
  const urlOf = (event: string): string => hooks[event]?.[0]?.hooks[0]?.url ?? "";
  const tell = async (cwd: string, event: { hook_event_name: string; prompt?: string }): Promise<void> => {
    const body = JSON.stringify({ session_id: "s1", cwd, ...event });
    const headers = { "Content-Type": "application/json" };
    expect((await fetch(urlOf(event.hook_event_name), { method: "POST", headers, body })).status).toBe(200);
  };
  await tell("/home/ada/pump", { hook_event_name: "UserPromptSubmit", prompt: "mend the pump" });
  await tell("/home/ada/pump", { hook_event_name: "Stop" });
  await tell(join(dirname(daemon.dataDir), "private", "diary"), { hook_event_name: "Stop" });
  const memory = await eventually("a summary", async () => {
    const { stdout } = await shell.run(["segue", "memory", "/home/ada/pump"]);
    return stdout.includes("Stop") ? stdout : undefined;
  });
  expect(memory).toContain("pump");
  expect(await messagesOf(daemon, "claude-code:s1")).toHaveLength(2);
  await daemon.stop();
});

test("two-providers.jsonc is answered by OpenRouter while Ollama is away, and by Ollama again", async () => {
  const [ollama, openrouter] = await Promise.all([
    startAimock({ name: "ollama" }),
    startAimock({ name: "openrouter" }),
  ]);
  const text = await exampleText("two-providers.jsonc");
  const settings = text
    .replace("http://127.0.0.1:11434", ollama.url)
    .replace("https://openrouter.ai", openrouter.url);
  expect(settings).toContain(`${ollama.url}/v1`);
  expect(settings).toContain(`${openrouter.url}/api/v1`);
  const daemon = await startSegue({ settings, env: { OPENROUTER_API_KEY: "sk-or-1" } });
  const ask = (content: string): Promise<MessageAnswer & { fallbackFrom: string | null }> =>
    daemon.post("/api/sessions/asks/messages", { content }, { Prefer: "wait=30" });

  expect(await ask("one")).toMatchObject({ status: "done", provider: "ollama", fallbackFrom: null });
  await ollama.stop();
  expect(await ask("two")).toMatchObject({ status: "done", provider: "openrouter", fallbackFrom: "ollama" });
  expect((await openrouter.calls()).map(({ turns }) => turns)).toEqual([3]);
  await Promise.all([daemon.stop(), openrouter.stop()]);
});

test("two-providers.jsonc is valid as it is written", async () => {
  const shell = await UserShell.open({ env: { OPENROUTER_API_KEY: "sk-or-1" } });
  const path = await shell.take("two-providers.jsonc");
  expect(await shell.run(["segue", "check", path])).toMatchObject({ exitCode: 0 });
});

test("rotate-key.sh gives the next turn the new key, and leaves the file alone where it gets none", async () => {
  const mock = await startAimock({ name: "keyed" });
  const heard: string[] = [];
  const door = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      heard.push(request.headers.get("Authorization") ?? "none");
      const body = await request.text();
      const answer = await fetch(mock.url + new URL(request.url).pathname, { method: "POST", body });
      return new Response(await answer.text(), {
        headers: { "Content-Type": answer.headers.get("Content-Type") ?? "" },
      });
    },
  });
  try {
    const shell = await UserShell.open();
    const key = join(shell.folder, "openrouter.key");
    writeFileSync(key, "old-key\n");
    const settingsPath = join(shell.folder, "settings.json");
    const apiKey = "file:openrouter.key";
    const keyed = { kind: "openai", baseUrl: `${door.url.origin}/v1`, model: "m", apiKey };
    // Nothing but the script says that there is a new one.
    const reload = { pollMs: 600_000, debounceMs: 600_000 };
    const daemon = await startSegue({
      settingsPath,
      settings: { provider: "keyed", providers: { keyed }, reload },
    });
    const user = await UserShell.open({ daemon });
    const script = await user.take("rotate-key.sh");
    const ask = (): Promise<MessageAnswer> =>
      daemon.post("/api/sessions/asks/messages", { content: "hi" }, { Prefer: "wait=30" });

    expect(await ask()).toMatchObject({ status: "done" });
    expect(await user.run(["sh", script, key], "")).toMatchObject({ exitCode: 2 });
    expect(readFileSync(key, "utf8")).toBe("old-key\n");
    expect(await user.run(["sh", script, key], "new-key\n")).toMatchObject({ exitCode: 0 });
    expect(await ask()).toMatchObject({ status: "done" });
    expect(heard).toEqual(["Bearer old-key", "Bearer new-key"]);
    await daemon.stop();
  } finally {
    await door.stop(true);
    await mock.stop();
  }
});

test("from-claude-mem.sh writes settings that a daemon runs on, and touches nothing else", async () => {
  const shell = await UserShell.open();
  const script = await shell.take("from-claude-mem.sh");
  const old = join(shell.folder, ".claude-mem", "settings.json");
  mkdirSync(join(shell.folder, ".claude-mem"));
  const text = JSON.stringify({
    env: {
      CLAUDE_MEM_PROVIDER: "gemini",
      CLAUDE_MEM_GEMINI_API_KEY: "AIza-1",
      CLAUDE_MEM_GEMINI_MODEL: "gemini-2.5-flash-lite",
      CLAUDE_MEM_WORKER_PORT: "37777",
      CLAUDE_MEM_CHROMA_HOST: "127.0.0.1",
    },
  });
  writeFileSync(old, text);
  const run = await shell.run(["sh", script]);
  expect(run).toMatchObject({ exitCode: 0 });
  expect(`${run.stdout}${run.stderr}`).toContain("CLAUDE_MEM_CHROMA_HOST");
  expect(readFileSync(old, "utf8")).toBe(text);
  const settingsPath = join(shell.folder, "config", "segue", "settings.json");
  expect(await shell.run(["sh", script])).toMatchObject({ exitCode: 1 });

  const daemon = await startSegue({ settingsPath, dataDir: join(shell.folder, "data") });
  const { settings } = await daemon.get<{ settings: { provider: string } }>("/api/settings");
  expect(settings).toMatchObject({ provider: "gemini", providers: { gemini: { apiKey: "••••" } } });
  await daemon.stop();
});
