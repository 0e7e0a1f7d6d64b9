import type { NewEvent, ParkReason } from "../core/events.ts";

/** An endpoint, key and model under which a turn ended well. */
export interface Proven {
  identity: string;
  provider: string;
  kind: string;
  endpoint: string;
  model: string;
  at: number;
}

/** A binding whose first turn was refused (contract section 3.5). */
export interface HoldRecord {
  identity: string;
  provider: string;
  endpoint: string;
  model: string;
  reason: ParkReason;
  since: number;
  /** How often in a row it was tried. */
  step: number;
  /** When one turn tries it again; null: not by itself. */
  tryAt: number | null;
  /** Whether sessions go back meanwhile; after a release they wait. */
  goesBack: boolean;
}

/** An endpoint and key, or one model there, that lets nobody through until a time (contract section 4). */
export interface ParkRecord {
  scope: string;
  provider: string;
  endpoint: string;
  /** Null: all models. */
  model: string | null;
  reason: ParkReason;
  since: number;
  until: number;
  /** How often in a row it was parked. */
  step: number;
}

/** What the guard and the gate know; identities and scopes are hashes. */
export interface EndpointStore {
  /** All of it, with whatever was asked to be stored before, committed by then. */
  load(): Promise<{ proven: Proven[]; holds: HoldRecord[]; parks: ParkRecord[] }>;
  prove(proven: Proven): Promise<void>;
  /** Stores a hold, or with null ends that of this identity, and what is told of it. */
  hold(identity: string, hold: HoldRecord | null, events: readonly NewEvent[], at: number): Promise<void>;
  /** Stores a park, or with null ends that of this scope, and what is told of it. */
  park(scope: string, park: ParkRecord | null, events: readonly NewEvent[], at: number): Promise<void>;
}
