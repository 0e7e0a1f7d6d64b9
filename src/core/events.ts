import type { Problem } from "./errors.ts";

/** What a turn cost. `estimated` where the provider reported nothing: ceil(UTF-8 bytes / 4). */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  estimated?: true;
}

/** The kinds of contract section 4. */
export const failureKinds = [
  "rate_limited",
  "unreachable",
  "overloaded",
  "auth",
  "not_found",
  "context_overflow",
  "invalid_request",
  "empty_reply",
  "interrupted",
] as const;

/** One of `failureKinds`. */
export type FailureKind = (typeof failureKinds)[number];

/** Why a turn did not end well; the message is searched for secrets before it is stored. */
export interface MessageError {
  kind: FailureKind;
  message: string;
  /** HTTP status, or the status that a code inside a stream stands for. */
  status?: number;
}

/** What a session can wait for (contract section 5). */
export const waitReasons = [
  "retry",
  "rate_limited",
  "unreachable",
  "auth",
  "not_found",
  "canary",
  "key",
  "slot",
  "budget",
  "drain",
] as const;

/** One of `waitReasons`. */
export type WaitReason = (typeof waitReasons)[number];

/** The waits that come of a provider's refusal. */
export type ParkReason = Extract<WaitReason, "rate_limited" | "unreachable" | "auth" | "not_found">;

/** Why a session's generator is replaced: the first that applies (contract section 5). */
export type RestartReason =
  | "provider_changed"
  | "model_changed"
  | "endpoint_changed"
  | "credentials_changed"
  | "options_changed"
  | "requested";

/** What a restart that is due waits for. */
export type BlockedBy = "turn" | "step" | "settling";

/** Where a revision came from (contract section 3.3). */
export type RevisionSource = "start" | "file" | "reference" | "api" | "rollback" | "signal";

/** What an accepted change would do, or did (contract section 3.3); counts are loaded sessions. */
export interface Plan {
  changedKeys: string[];
  live: string[];
  turn: string[];
  restart: string[];
  /** Changed keys that a flag of the command line beats. */
  masked: string[];
  sessions: { now: number; atBoundary: number; unaffected: number };
}

/** A side of `session.restarted`. */
export interface BindingLabel {
  provider: string;
  model: string;
  revision: number;
}

interface OfMessage {
  session: string;
  message: string;
  seq: number;
}

/** The data of each stored event, `at` aside (contract section 6). */
export interface EventData {
  "session.created": { session: string };
  "session.loaded": { session: string };
  "session.idle": { session: string; since: string };
  "session.busy": { session: string; inFlight: number };
  "session.waiting": { session: string; for: WaitReason; until: string | null };
  "session.restart_deferred": { session: string; reason: RestartReason; blockedBy: BlockedBy };
  "session.restarted": {
    session: string;
    from: BindingLabel;
    to: BindingLabel;
    oldGeneratorId: string;
    generatorId: string;
    reason: RestartReason;
    waitedMs: number;
  };
  "session.rolled_over": { session: string; epoch: number };
  "session.unloaded": { session: string };
  "session.recovered": { session: string; cause: string };
  "session.deleted": { session: string };
  "message.accepted": OfMessage;
  "message.started": OfMessage & { attempt: number; provider: string; model: string; revision: number };
  "message.done": OfMessage & { usage: Usage | null };
  "message.failed": OfMessage & { error: MessageError };
  "message.requeued": OfMessage & {
    reason: "drain" | "crash" | "restart" | "held" | "retry" | "daemon_restart";
    error?: MessageError;
    retryAt?: string;
  };
  "message.cancelled": OfMessage;
  "settings.planned": { plan: Plan };
  "settings.changed": {
    revision: number;
    source: RevisionSource;
    changedKeys: string[];
    appliedImmediately: string[];
    pendingRestarts: number;
    unaffected: number;
    daemonRestart: boolean;
  };
  "settings.rejected": { problems: readonly Problem[] };
  "settings.recovered": Record<never, never>;
  "settings.held": {
    provider: string;
    model: string;
    endpoint: string;
    reason: ParkReason;
    sessions: number;
    runningUnder: { provider: string; model: string } | null;
  };
  "settings.released": { provider: string; model: string; endpoint: string };
  "rollout.started": { revision: number; total: number };
  "rollout.progressed": { done: number; total: number };
  "rollout.finished": { revision: number; total: number };
  "rollout.superseded": { revision: number; done: number; total: number };
  "provider.parked": {
    provider: string;
    endpoint: string;
    model: string | null;
    reason: ParkReason;
    until: string;
  };
  "provider.ready": { provider: string; endpoint: string; model: string | null };
  "budget.reached": { limit: number; used: number; until: string };
  "daemon.started": { instanceId: string; version: string };
  "daemon.draining": { reason: string; graceMs: number; inFlight: number };
  "daemon.restarted": { url: string; downtimeMs: number; sessions: number; requeued: number };
  "daemon.restart_failed": { reason: string };
  "daemon.stopping": { reason: string };
}

/** The types of stored events. */
export type EventType = keyof EventData;

/** An event to be stored: it commits in the transaction of what it tells. */
export type NewEvent = { [T in EventType]: { type: T; data: EventData[T] } }[EventType];

/** A stored event; `data` is the JSON text as it is sent, `at` included. */
export interface StoredEvent {
  id: number;
  type: EventType;
  session: string | null;
  data: string;
}

/** A piece of a reply as it arrives; sent to readers, never stored (contract section 6). */
export interface DeltaEvent {
  session: string;
  message: string;
  seq: number;
  text: string;
}

/** Gets what was committed, in order, and deltas as they come. It must not throw. */
export interface EventListener {
  stored(events: readonly StoredEvent[]): void;
  delta(event: DeltaEvent): void;
}

/** Hands committed events and deltas to those who listen. A listener that throws does not keep it from the others. */
export class EventBus {
  readonly #listeners = new Set<EventListener>();
  readonly #onFault: (thrown: unknown) => void;

  constructor(onFault: (thrown: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Adds a listener; the answer removes it. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  publish(events: readonly StoredEvent[]): void {
    this.#each((listener) => listener.stored(events));
  }

  publishDelta(event: DeltaEvent): void {
    this.#each((listener) => listener.delta(event));
  }

  #each(tell: (listener: EventListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        tell(listener);
      } catch (thrown) {
        this.#onFault(thrown);
      }
    }
  }
}
