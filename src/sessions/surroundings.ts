import type { Clock } from "../core/clock.ts";
import type { DeltaEvent } from "../core/events.ts";
import type { Random } from "../core/ids.ts";
import type { Gate } from "../providers/gate.ts";
import type { CreateProvider } from "../providers/provider.ts";
import type { Store } from "../store/store.ts";

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
