import { afterEach, expect, test } from "bun:test";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

/** The figures by name and labels, as they stand in the text. */
async function figures(app: DaemonApp): Promise<Map<string, number>> {
  const response = await app.ask("/metrics");
  expect(response.headers.get("Content-Type")).toStartWith("text/plain; version=0.0.4");
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test("turns are counted by provider and outcome, with their tokens and how long they took", async () => {
  const app = await startApp({ providers: { echo: { delayMs: 3000 } } });
  const ended = app.json<{ usage: { inputTokens: number; outputTokens: number } }>(
    "/api/sessions/a/messages",
    { json: { content: "hello there" }, headers: { Prefer: "wait=60" } },
  );
  await app.clock.settle();
  await app.clock.advance(3000);
  const { usage } = await ended;
  const found = await figures(app);
  expect(found.get('segue_turns_total{provider="echo",outcome="done"}')).toBe(1);
  expect(found.get('segue_tokens_total{provider="echo",direction="input"}')).toBe(usage.inputTokens);
  expect(found.get('segue_tokens_total{provider="echo",direction="output"}')).toBe(usage.outputTokens);
  expect(found.get("segue_turn_duration_seconds_sum")).toBe(3);
  expect(found.get("segue_turn_duration_seconds_count")).toBe(1);
  expect(found.get('segue_turn_duration_seconds_bucket{le="2.5"}')).toBe(0);
  expect(found.get('segue_turn_duration_seconds_bucket{le="5"}')).toBe(1);
});

test("a batch is one turn; cancelling and putting back end one too", async () => {
  const app = await startApp({ turn: { mode: "batch" }, providers: { echo: { delayMs: 60_000 } } });
  const lines = (contents: string[]) => ({
    body: contents.map((content) => JSON.stringify({ content })).join("\n"),
    headers: { "Content-Type": "application/x-ndjson" },
  });
  await app.json("/api/sessions/a/messages", lines(["one", "two"]));
  await app.clock.advance(60_000);
  expect((await figures(app)).get('segue_turns_total{provider="echo",outcome="done"}')).toBe(1);
  const { id } = await app.post("a", "three");
  await app.clock.settle();
  await app.ask(`/api/messages/${id}/cancel`, { method: "POST" });
  await app.post("a", "four");
  await app.clock.settle();
  await app.ask("/api/sessions/a/restart", { json: { when: "now" } });
  await app.clock.settle();
  const found = await figures(app);
  expect(found.get('segue_turns_total{provider="echo",outcome="cancelled"}')).toBe(1);
  expect(found.get('segue_turns_total{provider="echo",outcome="requeued"}')).toBe(1);
  expect(found.get("segue_restarts_total")).toBe(1);
  expect(found.get('segue_messages_total{status="accepted"}')).toBe(4);
  expect(found.get('segue_messages_total{status="done"}')).toBe(2);
  expect(found.get('segue_messages_total{status="cancelled"}')).toBe(1);
  expect(found.get('segue_messages_total{status="failed"}')).toBe(0);
});

test("sessions by state, what is pending and what is in flight are those of now", async () => {
  const app = await startApp({
    providers: { echo: { delayMs: 60_000 } },
    sessions: { idleUnloadMs: 1000 },
  });
  await app.json("/api/sessions", { json: { id: "unloaded" } });
  await app.clock.advance(2000);
  await app.json("/api/sessions", { json: { id: "idle" } });
  await app.post("busy", "in flight");
  await app.post("busy", "pending");
  await app.clock.settle();
  const found = await figures(app);
  const counts = ["unloaded", "idle", "busy", "waiting"].map((state) =>
    found.get(`segue_sessions{state="${state}"}`),
  );
  expect(counts).toEqual([1, 1, 1, 0]);
  expect(found.get("segue_pending_messages")).toBe(1);
  expect(found.get('segue_turns_in_flight{provider="echo"}')).toBe(1);
  await app.clock.advance(5000);
  expect((await figures(app)).get("segue_oldest_pending_seconds")).toBe(5);
});

test("the settings in force are told, and whether the file is good", async () => {
  const app = await startApp({ provider: "mine", providers: { mine: { kind: "echo", model: "m" } } });
  const before = await figures(app);
  expect(before.get('segue_provider_parked{provider="mine"}')).toBe(0);
  expect(before.get("segue_settings_last_reload_successful")).toBe(1);
  const revision = before.get("segue_settings_revision") ?? 0;
  await app.clock.advance(1000);
  await app.edit({});
  await app.edit("{ broken");
  const after = await figures(app);
  expect(after.get("segue_settings_revision")).toBe(revision + 1);
  expect(after.get("segue_settings_last_reload_successful")).toBe(0);
  expect(after.get("segue_settings_last_reload_success_timestamp_seconds")).toBe(
    (before.get("segue_settings_last_reload_success_timestamp_seconds") ?? 0) + 1,
  );
  expect(after.has('segue_provider_parked{provider="mine"}')).toBe(false);
});

test("the process tells of itself", async () => {
  const app = await startApp();
  const found = await figures(app);
  expect(found.get("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  expect(found.get("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(found.get("segue_events_dropped_total")).toBe(0);
});

test("events of coding agents that become no message are counted by name, and all unknown ones as one", async () => {
  const app = await startApp();
  for (const hook_event_name of ["SessionStart", "SessionStart", "PreToolUse", "Unheard", "Of"])
    await app.json("/hooks/claude-code", { json: { hook_event_name, session_id: "s", cwd: "/tmp" } });
  const found = await figures(app);
  const of = (event: string): number | undefined => found.get(`segue_agent_events_total{event="${event}"}`);
  expect([of("SessionStart"), of("PreToolUse"), of("other")]).toEqual([2, 1, 2]);
  expect((await figures(app)).get('segue_agent_events_total{event="SessionStart"}')).toBe(2);
});
