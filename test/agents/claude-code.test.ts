import { describe, expect, test } from "bun:test";
import { type EventRules, type Received, receiveEvent } from "../../src/agents/claude-code.ts";
import { SegueError } from "../../src/core/errors.ts";

const rules: EventRules = {
  prompt: "follow it",
  skipTools: ["TodoWrite"],
  exclude: ["/clients/**"],
  maxMessageBytes: 1_048_576,
  home: "/home/me",
};
const common = {
  session_id: "0b6e0f3e-5a0e-4a41-9c25-5d1f6a3c2b10",
  transcript_path: "/home/me/.claude/projects/p/t.jsonl",
  cwd: "/home/me/project",
  permission_mode: "default",
};
const used = {
  ...common,
  hook_event_name: "PostToolUse",
  tool_name: "Bash",
  tool_input: { command: "ls" },
  tool_response: { stdout: "a\nb", interrupted: false },
  tool_use_id: "toolu_01",
};

function message(given: unknown, more: Partial<EventRules> = {}): Extract<Received, { kind: "message" }> {
  const received = receiveEvent(given, { ...rules, ...more });
  if (received.kind !== "message") throw new Error(`it became ${received.kind}`);
  return received;
}

/** What a message says, as far as it is JSON. */
function said(given: unknown, more: Partial<EventRules> = {}): Record<string, unknown> {
  return JSON.parse(message(given, more).content);
}

function refusalOf(given: unknown): string {
  try {
    return receiveEvent(given, rules).kind;
  } catch (thrown) {
    if (!(thrown instanceof SegueError)) throw thrown;
    return `${thrown.code} ${thrown.problems?.[0]?.path}`;
  }
}

describe("what becomes of an event", () => {
  test("a tool's use becomes one line of JSON without what says nothing about the work", () => {
    const { content, ...rest } = message(used);
    expect(content).not.toContain("\n");
    expect(JSON.parse(content)).toEqual({
      cwd: "/home/me/project",
      hook_event_name: "PostToolUse",
      tool_name: "Bash",
      tool_input: { command: "ls" },
      tool_response: { stdout: "a\nb", interrupted: false },
      tool_use_id: "toolu_01",
    });
    expect(rest).toEqual({
      kind: "message",
      session: `claude-code:${common.session_id}`,
      isSummary: false,
      sameAs: expect.any(String),
      template: {
        title: null,
        system: "follow it",
        labels: { agent: "claude-code", project: "/home/me/project" },
        overrides: { provider: null, model: null, mode: "batch" },
      },
    });
  });

  test("only the same event of the same call is the same", () => {
    const { sameAs } = message(used);
    expect(message({ ...used, duration_ms: 7 }).sameAs).toBe(sameAs);
    expect(message({ ...used, hook_event_name: "PostToolUseFailure" }).sameAs).not.toBe(sameAs);
    expect(message({ ...used, tool_use_id: "toolu_02" }).sameAs).not.toBe(sameAs);
    expect(message({ ...common, hook_event_name: "UserPromptSubmit", prompt: "hi" }).sameAs).toBeNull();
  });

  test("the agent's stop asks for a summary under fixed headings", () => {
    const { content, isSummary } = message({ ...common, hook_event_name: "Stop", stop_hook_active: false });
    expect(isSummary).toBe(true);
    const [line = "", ...request] = content.split("\n");
    expect(JSON.parse(line)).toMatchObject({ hook_event_name: "Stop" });
    expect(request.filter((text) => text.startsWith("## "))).toEqual([
      "## Asked",
      "## Done",
      "## Decided",
      "## Left open",
    ]);
  });

  test("other events are counted under their documented names, and those nobody knows as one", () => {
    const counted = (name: string): unknown => receiveEvent({ ...common, hook_event_name: name }, rules);
    expect(counted("SessionEnd")).toEqual({ kind: "counted", name: "SessionEnd" });
    expect(counted("SubagentStop")).toEqual({ kind: "counted", name: "SubagentStop" });
    expect(counted("Whatever they think of next")).toEqual({ kind: "counted", name: "other" });
  });

  test("skipped tools and excluded projects are dropped, whatever the event", () => {
    expect(receiveEvent({ ...used, tool_name: "TodoWrite" }, rules)).toEqual({ kind: "dropped" });
    for (const event of ["PostToolUse", "UserPromptSubmit", "Stop", "SessionEnd"])
      expect(receiveEvent({ ...used, hook_event_name: event, cwd: "/clients/x" }, rules)).toEqual({
        kind: "dropped",
      });
  });

  test("an id that can be none of ours is told apart by its hash, and shows nothing of itself", () => {
    const sessions = ["../../etc", "a b", "ä", "x".repeat(200), "x".repeat(201)].map(
      (id) => message({ ...used, session_id: id }).session,
    );
    for (const session of sessions) expect(session).toMatch(/^claude-code:sha256-[0-9a-f]{64}$/);
    expect(new Set(sessions).size).toBe(sessions.length);
    expect(message({ ...used, session_id: "a b" }).session).toBe(sessions[1] ?? "");
  });

  test("what can be no event is refused with the field that is wrong", () => {
    expect(refusalOf([])).toBe("invalid ");
    expect(refusalOf("Stop")).toBe("invalid ");
    expect(refusalOf({ session_id: "a" })).toBe("invalid hook_event_name");
    expect(refusalOf({ hook_event_name: "Stop" })).toBe("invalid session_id");
    const deep: unknown = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`);
    expect(refusalOf({ ...used, tool_response: deep })).toBe("invalid ");
  });
});

describe("what is kept of an event", () => {
  test("private text is gone wherever it stood, names of fields and lists of lines too", () => {
    const { content, template } = message({
      ...used,
      cwd: "/home/me/a<private>SECRET</private>b",
      tool_input: { "k<private>SECRET</private>": "x", deep: [{ text: "<private>SECRET" }] },
      tool_response: {
        structuredPatch: [{ lines: [" <private>", "+SECRET", " </private>", " open"] }],
        originalFile: "SECRET</private>rest",
      },
    });
    expect(content).not.toContain("SECRET");
    expect(JSON.parse(content)).toMatchObject({
      tool_input: { k: "x", deep: [{ text: "" }] },
      tool_response: {
        structuredPatch: [{ lines: [" ", "", "", " open"] }],
        originalFile: "rest",
      },
    });
    expect(template.labels).toEqual({ agent: "claude-code", project: "/home/me/ab" });
  });

  test("a long field is cut in the middle, by bytes, between characters, and says so", () => {
    const text = `begin ${"ä€😀".repeat(5000)} end`;
    const { tool_response: cut } = said({ ...used, tool_response: text });
    if (typeof cut !== "string") throw new Error("the field is no text any more");
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(8192);
    expect(Buffer.byteLength(cut)).toBeGreaterThan(8100);
    const [, head = "", left = "", tail = ""] = /^(.*)…\[(\d+) bytes left out\]…(.*)$/.exec(cut) ?? [];
    expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
    expect(Buffer.byteLength(head + tail) + Number(left)).toBe(Buffer.byteLength(text));
  });

  test("a field of just 8 KiB is kept as it is, in a list too", () => {
    const lines = ["x".repeat(8192), "y".repeat(8193)];
    const { tool_response: kept } = said({ ...used, tool_response: { lines } });
    expect(kept).toEqual({ lines: [lines[0], expect.stringContaining("bytes left out")] });
  });

  test("private text is taken out before anything is cut", () => {
    const text = `a<private>${"SECRET ".repeat(5000)}</private>b`;
    expect(said({ ...used, tool_response: text })["tool_response"]).toBe("ab");
  });

  test("an event that is too long for a message is cut as a whole, and the request for a summary is not", () => {
    const lines = Array.from({ length: 2000 }, (_, n) => `line ${n}`);
    const stop = { ...common, hook_event_name: "Stop", background_tasks: lines };
    const { content } = message(stop, { maxMessageBytes: 4096 });
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(4096);
    expect(content).toContain("bytes left out");
    expect(content).toContain("## Left open");
  });

  test("control characters and half characters do no harm", () => {
    const response = "\u0000\u001B[31m\uD800x\r\n\u2028";
    const { tool_response: kept } = said({ ...used, tool_response: response });
    expect(kept).toBe("\u0000\u001B[31m\uFFFDx\r\n\u2028");
    expect(message({ ...used, tool_response: response }).content).not.toMatch(/[\n\r]/);
  });

  test("unknown fields stay, whatever their names", () => {
    const line = '{"hook_event_name":"UserPromptSubmit","session_id":"a","__proto__":{"x":1},"new":[1,null]}';
    expect(message(JSON.parse(line)).content).toBe(
      '{"hook_event_name":"UserPromptSubmit","__proto__":{"x":1},"new":[1,null]}',
    );
  });
});
