import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";
import { refusal, type ShownMessage } from "./asking.ts";

afterEach(stopApps);

const path = "/hooks/claude-code";
const prompt = {
  session_id: "s1",
  transcript_path: "/t.jsonl",
  cwd: "/p",
  permission_mode: "plan",
  hook_event_name: "UserPromptSubmit",
  prompt: "hello there",
};
const tool = {
  ...prompt,
  hook_event_name: "PostToolUse",
  tool_name: "Bash",
  tool_input: {},
  tool_use_id: "toolu_1",
};

async function hook(app: DaemonApp, event: unknown): Promise<string> {
  const response = await app.ask(path, { json: event });
  return `${response.status} ${await response.text()}`;
}

async function messagesOf(app: DaemonApp, session = "claude-code:s1"): Promise<ShownMessage[]> {
  return (await app.json<{ items: ShownMessage[] }>(`/api/sessions/${session}/messages`)).items;
}

describe("POST /hooks/claude-code", () => {
  test("an event is answered {} and is a message of its agent's session, in batch mode, with the prompt", async () => {
    const app = await startApp({ agents: { prompt: "watch it" } });
    expect(await hook(app, prompt)).toBe("200 {}");
    expect(await messagesOf(app)).toMatchObject([
      { content: '{"cwd":"/p","hook_event_name":"UserPromptSubmit","prompt":"hello there"}' },
    ]);
    expect(await app.json("/api/sessions/claude-code:s1")).toMatchObject({
      system: "watch it",
      labels: { agent: "claude-code", project: "/p" },
      overrides: { provider: null, model: null, mode: "batch" },
    });
  });

  test("the prompt is the built-in one, or the text of a file; sessions that are there keep theirs", async () => {
    const app = await startApp();
    await hook(app, prompt);
    const { system } = await app.json<{ system: string }>("/api/sessions/claude-code:s1");
    expect(system).toStartWith("You follow the work of a coding agent");
    writeFileSync(join(dirname(app.settingsPath), "prompt.md"), "my own\n");
    await app.edit({ agents: { prompt: "file:prompt.md" } });
    await hook(app, prompt);
    await hook(app, { ...prompt, session_id: "s2" });
    expect(await app.json("/api/sessions/claude-code:s1")).toMatchObject({ system });
    expect(await app.json("/api/sessions/claude-code:s2")).toMatchObject({ system: "my own" });
  });

  test("the same use of a tool twice is one message, and its failure another", async () => {
    const app = await startApp();
    for (const event of [
      tool,
      { ...tool, duration_ms: 5 },
      { ...tool, hook_event_name: "PostToolUseFailure" },
    ])
      expect(await hook(app, event)).toBe("200 {}");
    expect((await messagesOf(app)).map(({ content }) => JSON.parse(content).hook_event_name)).toEqual([
      "PostToolUse",
      "PostToolUseFailure",
    ]);
  });

  test("other events make no session, and are counted", async () => {
    const app = await startApp();
    for (const name of ["SessionEnd", "PreCompact", "SessionEnd"])
      expect(await hook(app, { ...prompt, hook_event_name: name })).toBe("200 {}");
    expect(await app.json("/api/sessions")).toMatchObject({ items: [] });
    expect(await app.services.store.agents.counts()).toEqual({ PreCompact: 1, SessionEnd: 2 });
  });

  test("skipped tools and excluded projects leave nothing; a change of the settings holds at once", async () => {
    const app = await startApp();
    expect(await hook(app, { ...tool, tool_name: "TodoWrite" })).toBe("200 {}");
    await app.edit({ agents: { skipTools: ["Bash"], exclude: ["/p2"] } });
    expect(await hook(app, tool)).toBe("200 {}");
    expect(await hook(app, { ...prompt, cwd: "/p2/src" })).toBe("200 {}");
    expect(await app.json("/api/sessions")).toMatchObject({ items: [] });
    expect(await app.services.store.agents.counts()).toEqual({});
    expect(await hook(app, { ...tool, tool_name: "TodoWrite" })).toBe("200 {}");
    expect(await messagesOf(app)).toHaveLength(1);
  });

  test("it takes events while the daemon drains, and over the socket", async () => {
    const app = await startApp();
    app.phase = "draining";
    expect(await hook(app, prompt)).toBe("200 {}");
    expect((await app.askOnSocket(path, { json: tool })).status).toBe(200);
    expect(await messagesOf(app)).toHaveLength(2);
  });

  test("the rules of access hold here too", async () => {
    const app = await startApp();
    const foreign = { Origin: "https://evil.example" };
    expect(await refusal(await app.ask(path, { json: prompt, headers: foreign }))).toBe(
      "403 forbidden_origin",
    );
    await app.edit({ server: { token: "a-token-that-is-long" } });
    expect(await refusal(await app.ask(path, { json: prompt }))).toBe("401 unauthorized");
    const headers = { Authorization: "Bearer a-token-that-is-long" };
    expect((await app.ask(path, { json: prompt, headers })).status).toBe(200);
  });

  test("what is no event is refused, and a full disk or inbox says so", async () => {
    const app = await startApp({
      limits: { maxPendingPerSession: 1 },
      providers: { echo: { delayMs: 60_000 } },
    });
    expect(await refusal(await app.ask(path, { body: "{}" }))).toBe("415 unsupported_media_type");
    const json = { "Content-Type": "application/json" };
    expect(await refusal(await app.ask(path, { body: "{", headers: json }))).toBe("400 malformed");
    expect(await refusal(await app.ask(path, { json: [] }))).toBe("422 invalid");
    const free = app.fillDisk();
    const big = { ...prompt, prompt: Array.from({ length: 100 }, () => "x".repeat(8000)) };
    expect(await refusal(await app.ask(path, { json: big }))).toBe("507 storage_full");
    free();
    await hook(app, prompt);
    await app.clock.advance(0);
    await hook(app, prompt);
    expect(await refusal(await app.ask(path, { json: prompt }))).toBe("429 too_many_pending");
  });
});

describe("GET /api/memory", () => {
  async function summarise(app: DaemonApp, session: string, cwd: string): Promise<void> {
    await hook(app, { ...prompt, session_id: session, cwd });
    await hook(app, { ...prompt, session_id: session, cwd, hook_event_name: "Stop" });
    const stop = (await messagesOf(app, `claude-code:${session}`)).at(-1);
    await app.done(`claude-code:${session}`, "and on");
    expect(stop?.content).toContain("## Asked");
  }

  test("the replies to the agent's stops are found by project, newest first, page by page", async () => {
    const app = await startApp();
    for (const [session, cwd] of [
      ["s1", "/p"],
      ["s2", "/q"],
      ["s3", "/p"],
    ] as const)
      await summarise(app, session, cwd);
    const { items, next } = await app.json<{ items: Record<string, string>[]; next: string | null }>(
      "/api/memory?project=/p&limit=1",
    );
    const stop = (await messagesOf(app, "claude-code:s3")).find(({ content }) => content.includes("Stop"));
    expect(items).toEqual([
      {
        session: "claude-code:s3",
        project: "/p",
        at: stop?.finishedAt ?? "",
        summary: stop?.reply ?? "",
        message: stop?.id ?? "",
      },
    ]);
    expect(items[0]?.["summary"]).toContain("## Left open");
    const rest = await app.json(`/api/memory?project=/p&limit=1&cursor=${next}`);
    expect(rest).toMatchObject({ items: [{ session: "claude-code:s1" }], next: null });
    const all = await app.json<{ items: { session: string }[] }>("/api/memory");
    expect(all.items.map(({ session }) => session)).toEqual([
      "claude-code:s3",
      "claude-code:s2",
      "claude-code:s1",
    ]);
    expect(await app.json("/api/memory?project=/none")).toEqual({ items: [], next: null });
  });

  test("a wrong query is refused", async () => {
    const app = await startApp();
    expect(await refusal(await app.ask("/api/memory?limit=0"))).toBe("400 malformed");
    expect(await refusal(await app.ask("/api/memory?projekt=/p"))).toBe("400 malformed");
  });
});
