import { isoTime } from "../core/clock.ts";
import type { SessionRegistry } from "../sessions/registry.ts";
import type { Session } from "../sessions/session.ts";
import type { Bindings } from "../sessions/bindings.ts";
import type { MessageRecord } from "../store/message.ts";
import type { SessionRecord } from "../store/sessions.ts";
import type { ShownMessage, ShownSession } from "./answers.ts";

const timeOrNull = (at: number | null): string | null => (at === null ? null : isoTime(at));

/** A message as the contract's section 5 shows it. */
export function representMessage(message: MessageRecord): ShownMessage {
  const { id, session, seq, content, status, attempts, reply, finish, error, provider, model } = message;
  const { revision, fallbackFrom, usage, repliedBy, retryOf } = message;
  return {
    id,
    session,
    seq,
    content,
    status,
    attempts,
    reply,
    finish,
    error,
    provider,
    model,
    revision,
    fallbackFrom,
    usage,
    repliedBy,
    retryOf,
    createdAt: isoTime(message.createdAt),
    startedAt: timeOrNull(message.startedAt),
    finishedAt: timeOrNull(message.finishedAt),
  };
}

/** A message in the moment in which it was accepted, as `representMessage` would show it. */
export function representAccepted(accepted: {
  id: string;
  session: string;
  seq: number;
  content: string;
  at: number;
}): ShownMessage {
  const { id, session, seq, content, at } = accepted;
  return {
    id,
    session,
    seq,
    content,
    status: "pending",
    attempts: 0,
    reply: null,
    finish: null,
    error: null,
    provider: null,
    model: null,
    revision: null,
    fallbackFrom: null,
    usage: null,
    repliedBy: null,
    retryOf: null,
    createdAt: isoTime(at),
    startedAt: null,
    finishedAt: null,
  };
}

/** What sessions are in memory, and what those that are not would run under. */
export interface Loaded {
  registry: SessionRegistry;
  bindings: Bindings;
}

/** A session as the contract's section 5 shows it. */
export function representSession(record: SessionRecord, loaded: Loaded): ShownSession {
  const session = loaded.registry.find(record.id);
  const binding = session?.binding ?? loaded.bindings.of(record);
  const { id, title, system, labels, pending, turns, lastInputTokens, epoch, overrides } = record;
  return {
    id,
    title,
    system,
    labels,
    ...stateOf(session),
    provider: binding.provider,
    model: binding.config.model,
    bindingRevision: session?.bindingRevision ?? null,
    generatorId: session?.generatorId ?? null,
    pending,
    pendingRestart: session ? pendingRestartOf(session) : null,
    turns,
    lastInputTokens,
    epoch,
    overrides,
    createdAt: isoTime(record.createdAt),
    lastActivityAt: isoTime(record.lastActivityAt),
  };
}

/** The state of a session, loaded or not. */
export function stateName(
  session: Session | undefined,
): "unloaded" | "idle" | "busy" | "waiting" | "restarting" {
  const kind = session?.state.kind ?? "closed";
  return kind === "closed" ? "unloaded" : kind;
}

function stateOf(session: Session | undefined) {
  const state = session?.state;
  const isWaiting = state?.kind === "waiting";
  return {
    state: stateName(session),
    waitingFor: isWaiting ? state.for : null,
    waitingUntil: isWaiting ? timeOrNull(state.until) : null,
    idleSince: state?.kind === "idle" ? isoTime(state.since) : null,
    inFlight: session?.inFlight ?? 0,
  };
}

function pendingRestartOf(session: Session) {
  const pending = session.pendingRestart;
  return (
    pending && {
      reason: pending.reason,
      requestedAt: isoTime(pending.requestedAt),
      blockedBy: pending.blockedBy,
    }
  );
}
