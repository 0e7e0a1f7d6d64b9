import { pageAnswer, sessionAnswer, type SessionAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { tableLines } from "./screen.ts";

/** `segue sessions`: all sessions, newest first, or what is known of one. */
export async function showSessions(context: CommandContext, id: string | undefined): Promise<number> {
  const client = await DaemonClient.of(context);
  await (id === undefined ? listSessions(context, client) : showSession(context, client, id));
  return 0;
}

async function listSessions({ flags, screen }: CommandContext, client: DaemonClient): Promise<void> {
  const sessions: SessionAnswer[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await client.get(`/api/sessions?limit=1000${query}`, pageAnswer(sessionAnswer));
    // Each page as it came, one a line: together they are what the API returned.
    if (flags.json) screen.answer(page.text);
    sessions.push(...page.value.items);
    cursor = page.value.next;
  }
  if (flags.json) return;
  if (sessions.length === 0) screen.note("No sessions yet. `segue send SESSION TEXT` makes one.");
  else screen.answer(...tableLines(screen, headings, sessions.map(rowOf)));
}

const headings = ["SESSION", "STATE", "PROVIDER", "MODEL", "PENDING", "TURNS", "LAST ACTIVITY"];

function rowOf(session: SessionAnswer): string[] {
  return [
    session.id,
    stateText(session),
    session.provider ?? "-",
    session.model ?? "-",
    String(session.pending),
    String(session.turns),
    session.lastActivityAt,
  ];
}

function stateText(session: SessionAnswer): string {
  return session.waitingFor === null ? session.state : `${session.state}: ${session.waitingFor}`;
}

async function showSession(
  { flags, screen }: CommandContext,
  client: DaemonClient,
  id: string,
): Promise<void> {
  const { text, value } = await client.get(`/api/sessions/${encodeURIComponent(id)}`, sessionAnswer);
  if (flags.json) {
    screen.answer(text);
    return;
  }
  const restart = value.pendingRestart;
  const facts: [string, string][] = [
    ["session", value.id],
    ...(value.title === null ? [] : [["title", value.title] satisfies [string, string]]),
    ["state", stateText(value) + (value.waitingUntil === null ? "" : ` until ${value.waitingUntil}`)],
    ["provider", `${value.provider ?? "-"} ${value.model ?? ""} (revision ${value.bindingRevision ?? "-"})`],
    ["generator", value.generatorId ?? "-"],
    ["pending", `${value.pending} messages`],
    [
      "restart",
      restart
        ? `due: ${restart.reason}${restart.blockedBy ? `, after the ${restart.blockedBy}` : ""}`
        : "none due",
    ],
    ["turns", `${value.turns} (context ${value.epoch})`],
    ["created", value.createdAt],
    ["last activity", value.lastActivityAt],
  ];
  screen.answer(...facts.map(([name, fact]) => `${screen.style("dim", name.padEnd(14))}${fact}`));
}
