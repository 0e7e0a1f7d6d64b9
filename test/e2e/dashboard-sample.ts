import { eventually } from "../support/eventually.ts";
import { type Segue, startSegue } from "../support/segue.ts";

/** The settings of the sample, with comments that an edit has to keep. */
const sampleSettings = `{
  // Who answers by default.
  "provider": "quick",
  "providers": {
    "quick": { "kind": "echo", "model": "echo-quick", "delayMs": 10 },
    "slow": { "kind": "echo", "model": "echo-slow", "delayMs": 600000 },
    "flaky": { "kind": "command", "model": "flaky", "argv": ["sh", "-c", "echo the model is out of memory >&2; exit 1"] },
    "gone": { "kind": "openai", "model": "gone-1", "baseUrl": "http://127.0.0.1:1/v1", "apiKey": "not-a-real-key" },
  },
  "turn": { "retryMs": 60000 },
  "limits": { "turnsPerProvider": 2, "tokensPerDay": 20000 },
  "reload": { "staggerMs": 100 },
  "daemon": { "graceMs": 200 }, // the tests do not wait for slow turns
}
`;

const question =
  "Which of the three index designs keeps the claim cheap when the backlog grows to a million rows?";

/** A daemon, for a file of tests, with sessions in every state: idle, busy, waiting for a trial turn, for a retry and for a server, and an agent's. */
export async function startSample(): Promise<Segue> {
  const segue = await startSegue({ settings: sampleSettings, scope: "file" });
  await converse(segue);
  await pinned(segue, "night-report", "slow", { team: "reports" });
  await pinned(segue, "month-report", "slow", { team: "reports" });
  await pinned(segue, "year-report", "slow", { team: "reports" });
  await pinned(segue, "summaries", "flaky", { team: "search" });
  await pinned(segue, "translations", "gone", { team: "search" });
  await agentWorks(segue);
  await eventually("the sample stands", async () => {
    const { items } = await segue.get<{ items: { waitingFor: string | null }[] }>("/api/sessions");
    const waits = new Set(items.map(({ waitingFor }) => waitingFor));
    return ["canary", "retry", "unreachable"].every((wait) => waits.has(wait));
  });
  return segue;
}

async function converse(segue: Segue): Promise<void> {
  await segue.post("/api/sessions", {
    id: "index-design",
    title: "Index design",
    labels: { team: "storage" },
  });
  const wait = { Prefer: "wait=20" };
  await segue.post("/api/sessions/index-design/messages", { content: question }, wait);
  await segue.post(
    "/api/sessions/index-design/messages",
    { content: "And what does it cost to write?" },
    wait,
  );
  for (const name of ["release-notes", "inbox-triage", "incident-412", "onboarding"])
    await segue.post(`/api/sessions/${name}/messages`, { content: `Begin with ${name}.` }, wait);
}

async function pinned(segue: Segue, id: string, provider: string, labels: object): Promise<void> {
  await segue.post("/api/sessions", { id, provider, labels });
  await segue.post(`/api/sessions/${id}/messages`, { content: `What is new in ${id}?` });
}

async function agentWorks(segue: Segue): Promise<void> {
  const common = { session_id: "5f0c1b9a", cwd: "/home/dev/shop" };
  await segue.post("/hooks/claude-code", {
    ...common,
    hook_event_name: "UserPromptSubmit",
    prompt: "Make the basket survive a reload.",
  });
  await segue.post("/hooks/claude-code", { ...common, hook_event_name: "Stop" });
  await eventually("the agent's summary is there", async () => {
    const { items } = await segue.get<{ items: unknown[] }>("/api/memory");
    return items.length > 0;
  });
}
