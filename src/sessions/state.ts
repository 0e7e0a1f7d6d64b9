import type { BlockedBy, NewEvent, RestartReason, WaitReason } from "../core/events.ts";
import { isoTime } from "../core/clock.ts";

/**
 * What a loaded session is doing. (`unloaded` is a session without one of these.)
 *
 * - `idle`: nothing is pending. Entered when it is loaded or made, when its inbox ran empty, and after a restart.
 *   A message makes it work: it goes on to `busy`, or to `waiting` where it is not let through.
 * - `waiting`: a message is pending, and no turn may start yet. Every wait is a boundary. Left by the claim, by an
 *   empty inbox (the message was cancelled), or by a restart.
 * - `busy`: from the claim of a message until its session waits, is restarted or has nothing left. Between two
 *   messages it stays busy, though that is a boundary too: the generator looks there itself whether a restart is due.
 * - `restarting`: the old generator was told to end and has not ended yet, that of a deleted session of this id too.
 *   Left when the new one stands, or for `busy` where the old one had just claimed a message.
 * - `closed`: no turn starts any more; the daemon drains, or the session is unloaded or deleted. Never left.
 */
export type SessionState =
  | { kind: "idle"; since: number }
  | { kind: "waiting"; for: WaitReason; until: number | null; since: number }
  | { kind: "busy"; message: string; since: number }
  | { kind: "restarting"; reason: RestartReason; since: number; idleSince: number | null }
  | { kind: "closed" };

/** What happens to a session. */
export type SessionEvent =
  /** Its generator has claimed a message; the turn begins. */
  | { type: "claimed"; message: string }
  /** Its generator may not go on before something else has happened. */
  | { type: "waits"; for: WaitReason; until: number | null }
  /** Its generator found nothing pending. */
  | { type: "emptied" }
  /** Another binding is the one to have, or a restart was asked for. */
  | { type: "due"; reason: RestartReason }
  /** The session begins to replace its generator, which is at a boundary. */
  | { type: "restarts"; reason: RestartReason }
  /** The new generator stands. */
  | { type: "replaced"; hasPending: boolean }
  | { type: "closed" };

/** What is to be done about it. */
export type SessionEffect =
  | { kind: "tell"; event: NewEvent }
  /** Stop the generator, which has no turn in flight, and put another in its place. */
  | { kind: "replace" };

/** The next state, and what it takes. */
export interface SessionStep {
  state: SessionState;
  effects: SessionEffect[];
}

/** The next state and what it takes. An event that does not apply changes nothing and has no effects. */
export function step(session: string, state: SessionState, event: SessionEvent, now: number): SessionStep {
  if (state.kind === "closed") return { state, effects: [] };
  switch (event.type) {
    case "claimed":
      // 1. Also while it restarts: the claim was under way when the generator was told to end, and its turn is taken.
      return { state: { kind: "busy", message: event.message, since: now }, effects: [] };
    case "waits":
      return wait(session, state, event, now);
    case "emptied":
      return state.kind === "restarting" ? { state, effects: [] } : goIdle(session, state, now);
    case "due":
      return restart(session, state, event.reason, now);
    case "restarts":
      return state.kind === "restarting"
        ? { state, effects: [] }
        : { state: restarting(state, event.reason, now), effects: [] };
    case "replaced":
      return state.kind === "restarting"
        ? replaced(session, state, event.hasPending, now)
        : { state, effects: [] };
    case "closed":
      return { state: { kind: "closed" }, effects: [] };
  }
  event satisfies never;
}

function wait(
  session: string,
  state: SessionState,
  event: { for: WaitReason; until: number | null },
  now: number,
): SessionStep {
  if (state.kind === "restarting") return { state, effects: [] };
  const isSame = state.kind === "waiting" && state.for === event.for && state.until === event.until;
  if (isSame) return { state, effects: [] };
  const until = event.until === null ? null : isoTime(event.until);
  return {
    state: { kind: "waiting", for: event.for, until: event.until, since: now },
    effects: [{ kind: "tell", event: { type: "session.waiting", data: { session, for: event.for, until } } }],
  };
}

function goIdle(session: string, state: SessionState, now: number): SessionStep {
  if (state.kind === "idle") return { state, effects: [] };
  return { state: { kind: "idle", since: now }, effects: [idleTold(session, now)] };
}

function idleTold(session: string, since: number): SessionEffect {
  return { kind: "tell", event: { type: "session.idle", data: { session, since: isoTime(since) } } };
}

/** An idle session stays as long idle as it was: a restart is no activity. */
function restarting(state: SessionState, reason: RestartReason, now: number): SessionState {
  return { kind: "restarting", reason, since: now, idleSince: state.kind === "idle" ? state.since : null };
}

function replaced(
  session: string,
  { idleSince }: { idleSince: number | null },
  hasPending: boolean,
  now: number,
): SessionStep {
  if (idleSince !== null) return { state: { kind: "idle", since: idleSince }, effects: [] };
  // 2. With something pending it goes on at once; the loop says what comes of it.
  return { state: { kind: "idle", since: now }, effects: hasPending ? [] : [idleTold(session, now)] };
}

function restart(session: string, state: SessionState, reason: RestartReason, now: number): SessionStep {
  switch (state.kind) {
    case "idle":
    case "waiting":
      return { state: restarting(state, reason, now), effects: [{ kind: "replace" }] };
    case "busy":
      return { state, effects: [deferred(session, reason, "turn")] };
    case "restarting":
    case "closed":
      return { state, effects: [] };
  }
  state satisfies never;
}

function deferred(session: string, reason: RestartReason, blockedBy: BlockedBy): SessionEffect {
  return { kind: "tell", event: { type: "session.restart_deferred", data: { session, reason, blockedBy } } };
}
