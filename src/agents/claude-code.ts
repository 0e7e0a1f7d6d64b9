import { sha256 } from "#platform/hash";
import { SegueError, type Problem } from "../core/errors.ts";
import type { SessionTemplate } from "../store/sessions.ts";
import { cleanEvent, type EventObject, eventLine, isEventObject, isTooDeep } from "./content.ts";
import { isExcluded } from "./project.ts";
import summaryRequest from "./summary.md" with { type: "text" };

/** The name of the agent, in paths, labels and ids of sessions. */
export const agentName = "claude-code";

/** What of the settings decides about events. */
export interface EventRules {
  /** `agents.prompt`. */
  prompt: string;
  skipTools: readonly string[];
  exclude: readonly string[];
  /** `limits.maxMessageBytes`: a longer event is cut, not refused. */
  maxMessageBytes: number;
  /** The user's home folder, for `~` in `exclude`. */
  home: string;
}

/** What becomes of an event. */
export type Received =
  | {
      kind: "message";
      session: string;
      content: string;
      isSummary: boolean;
      /** Equal for events that tell of the same thing; null where that cannot be known. */
      sameAs: string | null;
      template: SessionTemplate;
    }
  /** It is counted under this name, and nothing else of it is kept. */
  | { kind: "counted"; name: string }
  /** Nothing of it is kept. */
  | { kind: "dropped" };

const messageEvents = new Set(["UserPromptSubmit", "PostToolUse", "PostToolUseFailure", "Stop"]);
/** Others by their documented names (hooks.md); whatever else comes is counted as one. */
const countedEvents = new Set(
  (
    "SessionStart Setup SessionEnd InstructionsLoaded UserPromptExpansion MessageDisplay PreToolUse PostToolBatch " +
    "PermissionRequest PermissionDenied StopFailure SubagentStart SubagentStop TaskCreated TaskCompleted " +
    "TeammateIdle Notification ConfigChange CwdChanged FileChanged WorktreeCreate WorktreeRemove PreCompact " +
    "PostCompact Elicitation ElicitationResult"
  ).split(" "),
);
/** They say nothing about the work. */
const omittedFields = new Set(["session_id", "transcript_path", "permission_mode"]);

/**
 * Decides what becomes of an event of the agent (contract section 8). Pure. Private text, skipped tools and excluded
 * projects are gone from what it answers. Throws `invalid` for what can be no event.
 */
export function receiveEvent(given: unknown, rules: EventRules): Received {
  if (!isEventObject(given)) throw invalid({ path: "", message: "has to be an object" });
  const name = textIn(given, "hook_event_name");
  if (name === "") throw invalid({ path: "hook_event_name", message: "has to be the name of an event" });
  if (isExcluded(textIn(given, "cwd"), rules.exclude, rules.home)) return { kind: "dropped" };
  if (!messageEvents.has(name)) return { kind: "counted", name: countedEvents.has(name) ? name : "other" };
  if (rules.skipTools.includes(textIn(given, "tool_name"))) return { kind: "dropped" };
  if (isTooDeep(given)) throw invalid({ path: "", message: "is nested too deep" });
  return messageOf(name, given, rules);
}

function messageOf(name: string, given: EventObject, rules: EventRules): Received {
  const session = textIn(given, "session_id");
  if (session === "") throw invalid({ path: "session_id", message: "has to be the id of a session" });
  const event = cleanEvent(given);
  const isSummary = name === "Stop";
  const request = isSummary ? `\n\n${summaryRequest.trim()}` : "";
  const kept = Object.fromEntries(Object.entries(event).filter(([field]) => !omittedFields.has(field)));
  const call = textIn(given, "tool_use_id");
  return {
    kind: "message",
    session: sessionId(session),
    content: eventLine(kept, Math.max(0, rules.maxMessageBytes - Buffer.byteLength(request))) + request,
    isSummary,
    sameAs: call === "" ? null : digestOf(JSON.stringify([name, call])),
    template: templateOf(textIn(event, "cwd"), rules.prompt),
  };
}

function templateOf(project: string, prompt: string): SessionTemplate {
  return {
    title: null,
    system: prompt,
    labels: { agent: agentName, ...(project !== "" && { project }) },
    overrides: { provider: null, model: null, mode: "batch" },
  };
}

/** The id of the session that keeps an agent's one. What can be no id is told apart by its hash. */
function sessionId(given: string): string {
  const id = `${agentName}:${given}`;
  return /^[A-Za-z0-9._:-]{1,128}$/.test(id) ? id : `${agentName}:sha256-${digestOf(given)}`;
}

function digestOf(text: string): string {
  return sha256(text, "hex");
}

function textIn(event: EventObject, field: string): string {
  const value = event[field];
  return typeof value === "string" ? value : "";
}

function invalid(problem: Problem): SegueError {
  return new SegueError("invalid", "the body is no event of the agent", { problems: [problem] });
}
