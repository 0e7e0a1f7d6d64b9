import type { BlockedBy, RestartReason, WaitReason } from "../../core/events.ts";
import type { ShownMessage, ShownSession } from "../link/answers.ts";

/** A colour with a meaning; beside it there is always a word. */
export type Tone = "good" | "busy" | "wait" | "bad" | "held" | "quiet";

/** What a session waits for, in words. */
export const waitWords: Readonly<Record<WaitReason, string>> = {
  retry: "next try",
  rate_limited: "rate limit",
  unreachable: "server unreachable",
  auth: "key refused",
  not_found: "model not found",
  canary: "trial turn of another session",
  key: "key missing",
  slot: "free slot",
  budget: "tokens of the day used up",
  drain: "restart of the daemon",
};

/** Why something is parked or held, in words; the reason itself where it is none that the page knows. */
export function reasonWords(reason: string): string {
  return Object.entries(waitWords).find(([name]) => name === reason)?.[1] ?? reason;
}

/** Why a session moves to another binding, in words. */
export const restartWords: Readonly<Record<RestartReason, string>> = {
  provider_changed: "another provider",
  model_changed: "another model",
  endpoint_changed: "another base URL",
  credentials_changed: "another key",
  options_changed: "other options",
  requested: "restart asked for",
};

/** What keeps a session from moving, in words. */
export const blockWords: Readonly<Record<BlockedBy, string>> = {
  turn: "ends its turn first",
  step: "its step of the rollout is to come",
  settling: "its old generator still has to end",
};

/** The colour of a session's state. */
export const stateTones: Readonly<Record<ShownSession["state"], Tone>> = {
  unloaded: "quiet",
  idle: "good",
  busy: "busy",
  waiting: "wait",
  restarting: "held",
};

/** The states of a session, in words. */
export const stateWords: Readonly<Record<ShownSession["state"], string>> = {
  unloaded: "Unloaded",
  idle: "Idle",
  busy: "Busy",
  waiting: "Waiting",
  restarting: "Restarting",
};

/** The colour of a message's status. */
export const statusTones: Readonly<Record<ShownMessage["status"], Tone>> = {
  pending: "wait",
  running: "busy",
  done: "good",
  failed: "bad",
  cancelled: "quiet",
};

/** The statuses of a message, in words. */
export const statusWords: Readonly<Record<ShownMessage["status"], string>> = {
  pending: "Pending",
  running: "Running",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};
