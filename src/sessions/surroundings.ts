import type { Clock } from "../core/clock.ts";
import type { DeltaEvent, NewEvent } from "../core/events.ts";
import type { Ids, Random } from "../core/ids.ts";
import type { Gate } from "../providers/gate.ts";
import type { Guard } from "../providers/guard.ts";
import type { CreateProvider } from "../providers/provider.ts";
import type { Store } from "../store/store.ts";
import type { Bindings } from "./bindings.ts";
import type { SessionEvent, SessionState } from "./state.ts";

/** What all generators of a daemon share. */
export interface Surroundings {
  boot: string;
  store: Store;
  gate: Gate;
  clock: Clock;
  random: Random;
  createProvider: CreateProvider;
  /** The live settings of now. */
  retry: () => { retryMs: number; maxAttempts: number };
  /** The revision in force. */
  revision: () => number;
  /** Takes every secret out of a text. */
  redact: (text: string) => string;
  onDelta: (delta: DeltaEvent) => void;
}

/** What sessions share beyond what their generators share. */
export interface SessionSurroundings extends Surroundings {
  ids: Ids;
  bindings: Bindings;
  guard: Guard;
  /** Stores events that belong to no other write; the promise is kept by whoever hands this in. */
  tell: (events: readonly NewEvent[]) => void;
  /** Told of every step, in order: for whoever measures which of them are ever taken. */
  onStep?: ((session: string, from: SessionState, event: SessionEvent, to: SessionState) => void) | undefined;
  /** Called when a session has another generator. */
  onRestarted: (session: string) => void;
  /** A fault that is a bug; it is logged once, there. */
  onFault: (session: string, thrown: unknown) => void;
}
