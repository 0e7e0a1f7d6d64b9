import type { ShownSession } from "../../src/http/answers.ts";

/** An idle session as it is shown, under the first binding of a daemon and with nothing done yet. */
export function shownSession(id: string, at: string, more: Partial<ShownSession> = {}): ShownSession {
  return {
    id,
    title: null,
    system: null,
    labels: {},
    state: "idle",
    waitingFor: null,
    waitingUntil: null,
    idleSince: at,
    inFlight: 0,
    provider: "first",
    model: "one",
    bindingRevision: 1,
    generatorId: "generator",
    pending: 0,
    pendingRestart: null,
    turns: 0,
    lastInputTokens: null,
    epoch: 1,
    overrides: { provider: null, model: null, mode: null },
    createdAt: at,
    lastActivityAt: at,
    ...more,
  };
}
