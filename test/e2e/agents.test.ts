import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { agentEvents, excludedProjects, expectedMessages, hiddenMarks } from "../fixtures/agent-events.ts";
import { startAimock } from "../support/aimock.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { runSegue, startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import { AgentReplay, expectProcessed, foundIn, untilProcessed } from "./agent-replay.ts";
import { saveSettings } from "./settings-file.ts";
import { Vendors, type Asked } from "./vendors.ts";

setDefaultTimeout(120_000);

const events = agentEvents();
const expected = expectedMessages(events);
const hidden = hiddenMarks(events);
const agents = { exclude: [excludedProjects] };
const shop = "/home/dev/shop";

interface MemoryPage {
  items: { session: string; project: string; at: string; summary: string; message: string }[];
}

test("a session's whole stream over three restarts, a kill and another provider: none lost, none doubled, summaries there", async () => {
  const first: Asked = { vendor: "claude", model: "claude-one" };
  const second: Asked = { vendor: "openai", model: "openai-one" };
  const vendors = await Vendors.start({ firstTokenMs: 15, tokensPerSecond: 2000 });
  const more = { agents, daemon: { graceMs: 1000 }, turn: { rolloverTokens: 20_000 } };
  let segue = await startSegue({ settings: vendors.settings(first, more) });
  let serving = Promise.resolve(segue);
  const replay = new AgentReplay(() => serving);
  const posted = replay.post(events);
  const at = (share: number): Promise<void> => replay.until(Math.floor(events.length * share));

  await at(0.15);
  await restart(segue);
  await at(0.35);
  const next = Promise.withResolvers<Segue>();
  serving = next.promise;
  await segue.kill();
  segue = await segue.restart();
  next.resolve(segue);
  await at(0.5);
  await restart(segue);
  await at(0.65);
  saveSettings(segue.settingsPath, vendors.settings(second, more), "replaced by a rename");
  await at(0.8);
  await restart(segue);
  await posted;
  await untilProcessed(segue);

  const messages = await expectProcessed(segue, expected);
  const needed = messages.filter(({ reply }) => reply !== null).length;
  const calls = await vendors.calls();
  expect(new Set(messages.map(({ provider }) => provider))).toEqual(new Set(["claude", "openai"]));
  const summaries = await expectSummaries(segue);
  const hook = await startAgent(segue, shop);
  expect(hook.context).toContain(summaries[0] ?? "none");
  expect(hook.context).toContain(summaries[2] ?? "none");
  expect(hook.context).not.toContain(summaries[3] ?? "none");
  const output = segue.process.output;
  expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
  expect(foundIn(segue.dataDir, hidden)).toEqual([]);
  const journals = JSON.stringify(await vendors.journals());
  expect(hidden.filter((mark) => journals.includes(mark) || output.includes(mark))).toEqual([]);
  await vendors.stop();
  const slowest = replay.durations.toSorted((one, other) => other - one);
  console.log(
    `${events.length} events, ${messages.length} messages, ${replay.repeats} sent again; ` +
      `${calls.length} calls made / ${needed} needed = ${(calls.length / needed).toFixed(3)}; ` +
      `answers: median ${middle(slowest)} ms, slowest ${slowest[0]?.toFixed(0)} ms; ` +
      `a starting agent had its summaries after ${hook.ms.toFixed(0)} ms`,
  );
});

test("private text, skipped tools and excluded projects are nowhere: not in the store, the log, or what a provider got", async () => {
  const journal = join(makeFolder("journal"), "heard");
  const argv = ["sh", "-c", `cat >>'${journal}'; echo noted`];
  const segue = await startSegue({
    settings: {
      provider: "command",
      providers: { command: { argv } },
      agents,
      turn: { batchMax: 0, rolloverTokens: 5000 },
      log: { level: "debug" },
    },
  });
  await new AgentReplay(() => Promise.resolve(segue)).post(events);
  await untilProcessed(segue);
  await expectProcessed(segue, expected);
  const heard = readFileSync(journal, "utf8");
  expect(heard).toContain("mcp__memory__search");
  expect(hidden.filter((mark) => heard.includes(mark))).toEqual([]);
  expect(heard).not.toMatch(/TodoWrite|clients|transcript_path|permission_mode/);
  expect(foundIn(segue.dataDir, hidden)).toEqual([]);
  await segue.stop();
  expect(foundIn(segue.dataDir, [...hidden, "/home/dev/clients/acme", "TodoWrite"])).toEqual([]);
  expect(hidden.filter((mark) => segue.process.output.includes(mark))).toEqual([]);
});

test("the provider down for the whole stream, then up: all in order, within slots and budget", async () => {
  const mock = await startAimock({ name: "late", firstTokenMs: 5, tokensPerSecond: 4000 });
  const port = await freePort();
  const settings = (tokensPerDay: number): object => ({
    provider: "openai",
    providers: { openai: { baseUrl: `http://127.0.0.1:${port}`, model: "late-one" } },
    agents,
    limits: { turnsPerProvider: 2, tokensPerDay },
    turn: { rolloverTokens: 20_000 },
    reload: { debounceMs: 50 },
  });
  const segue = await startSegue({ settings: settings(60_000) });
  await new AgentReplay(() => Promise.resolve(segue)).post(events);
  const count = [...expected.values()].flat().length;
  const pending = async (): Promise<number> =>
    (await segue.get<{ pendingMessages: number }>("/api/stats")).pendingMessages;
  await eventually("all of it waits", async () => (await pending()) === count);

  let atOnce = 0;
  let most = 0;
  const up = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    fetch: async (request) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      try {
        const { pathname } = new URL(request.url);
        const answer = await fetch(mock.url + pathname, {
          method: request.method,
          headers: { "Content-Type": "application/json" },
          body: await request.text(),
        });
        return new Response(await answer.text(), {
          status: answer.status,
          headers: { "Content-Type": answer.headers.get("Content-Type") ?? "" },
        });
      } finally {
        atOnce -= 1;
      }
    },
  });
  try {
    const reached = segue.nextEvent(0, ({ type }) => type === "budget.reached");
    await segue.post("/api/settings/release");
    await reached;
    await eventually("turns in flight end", async () => atOnce === 0);
    const callsAtLimit = (await mock.calls()).length;
    expect(await pending()).toBeGreaterThan(0);
    saveSettings(segue.settingsPath, settings(0), "replaced by a rename");
    await untilProcessed(segue);
    const messages = await expectProcessed(segue, expected);
    for (const session of expected.keys()) {
      const starts = messages.flatMap((message) => (message.session === session ? [startOf(message)] : []));
      expect(starts).toEqual(starts.toSorted());
    }
    expect(most).toBe(2);
    expect((await mock.calls()).length).toBeGreaterThan(callsAtLimit);
    await segue.stop();
  } finally {
    await up.stop(true);
    await mock.stop();
  }
});

test("connect, twice, then --remove: the agent's file is byte for byte as before", async () => {
  const folder = makeFolder("agent");
  const path = join(folder, "settings.json");
  const lived =
    '\uFEFF{\r\n\t// mine\r\n\t"hooks": {\r\n\t\t"Stop": [ { "hooks": [{ "type": "command", "command": "say" }] }, ] /* x */,\r\n\t\t"SessionStart": []\r\n\t},\r\n}';
  writeFileSync(path, lived);
  const env = { CLAUDE_CONFIG_DIR: folder };
  for (let time = 0; time < 2; time++)
    expect(await runSegue(["connect", "claude-code"], { env })).toMatchObject({ exitCode: 0 });
  expect(readFileSync(path, "utf8")).toContain("/hooks/claude-code");
  expect(await runSegue(["connect", "claude-code", "--remove"], { env })).toMatchObject({ exitCode: 0 });
  expect(readFileSync(path, "utf8")).toBe(lived);
});

/** Restarts in process, and waits until another core serves. */
async function restart(segue: Segue): Promise<void> {
  const { instanceId } = await segue.get<{ instanceId: string }>("/api/daemon");
  await segue.post("/api/daemon/restart");
  await eventually("the daemon has restarted", async () => {
    const daemon = await segue.get<{ instanceId: string; phase: string }>("/api/daemon");
    return daemon.instanceId !== instanceId && daemon.phase === "serving";
  });
}

/** Each stop of the project's agents has left a summary; answers with them, newest first. */
async function expectSummaries(segue: Segue): Promise<string[]> {
  const { items } = await segue.get<MemoryPage>(`/api/memory?project=${encodeURIComponent(shop)}&limit=1000`);
  const stops = events.filter(({ event }) => event.cwd === shop && event.hook_event_name === "Stop");
  expect(items).toHaveLength(stops.length);
  expect(items.filter(({ project, summary }) => project !== shop || summary === "")).toEqual([]);
  return items.map(({ summary }) => summary);
}

/** What an agent that starts in a project is told, and how long it waited; a machine too busy is asked again. */
async function startAgent(segue: Segue, cwd: string): Promise<{ context: string; ms: number }> {
  const stdin = JSON.stringify({
    session_id: "new",
    cwd,
    hook_event_name: "SessionStart",
    source: "startup",
  });
  return eventually("a starting agent is told", async () => {
    const began = performance.now();
    const run = await runSegue(["hook", "claude-code", "--data", segue.dataDir], { stdin });
    const ms = performance.now() - began;
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    if (run.stdout === "") return undefined;
    return { context: JSON.parse(run.stdout).hookSpecificOutput.additionalContext, ms };
  });
}

function startOf(message: object): string {
  return "startedAt" in message ? String(message.startedAt) : "";
}

function middle(sorted: readonly number[]): string {
  return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1);
}
