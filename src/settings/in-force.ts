import type { Clock } from "../core/clock.ts";
import type { NewEvent, Plan, RevisionSource } from "../core/events.ts";
import type { Store } from "../store/store.ts";
import type { AcceptedSettings } from "./accepted.ts";
import { effectiveFingerprint } from "./fingerprint.ts";
import { byClass, planChange } from "./plan.ts";
import type { Reading, ReadResult } from "./read.ts";
import { changedSince, isOfFile, isOfRevision, revisionFingerprint } from "./revision-fingerprint.ts";
import type { Settings } from "./schema.ts";
import { hashOf } from "./source.ts";

/** A revision in force. */
export interface InForce {
  revision: number;
  /** Milliseconds since the Unix epoch. */
  appliedAt: number;
  reading: Reading;
  settings: Settings;
  /** SHA-256 of the accepted bytes; null where no file stood behind them. */
  hash: string | null;
  modifiedAt: number | null;
}

/** The bytes behind settings. */
export interface AcceptedFile {
  bytes: Uint8Array;
  hash: string;
  modifiedAt: number | null;
}

/** Settings that are good, and the file they stand in; null where there is none. */
export interface Acceptable {
  reading: Reading;
  file: AcceptedFile | null;
  source: RevisionSource;
  /** `settings.planned` was told when they began to wait. */
  isPlanned?: boolean;
}

/** What the revision in force needs. */
export interface InForceParts {
  accepted: AcceptedSettings;
  clock: Clock;
  store: Store;
  /** Keys that flags set: they beat the file. */
  flagKeys: readonly string[];
  /** Gets the secrets of settings before anything else sees them. */
  learnSecrets: (secrets: readonly string[]) => void;
  /** Which loaded sessions a change would affect. */
  countAffected: (settings: Settings) => Plan["sessions"];
  /** Called, synchronously, right after another revision came into force. */
  onChange: (inForce: InForce, plan: Plan) => void;
}

/** The one revision in force, and how another takes its place: kept, recorded, told, and only then in force. */
export class RevisionInForce {
  readonly #parts: InForceParts;
  #current: InForce | undefined;

  constructor(parts: InForceParts) {
    this.#parts = parts;
  }

  /** The revision in force; there is one from `begin` on. */
  get current(): InForce {
    if (!this.#current) throw new Error("the settings were asked for before they were read");
    return this.#current;
  }

  /** Makes up for a process that was killed between the record of a revision and its bytes; before anything is read. */
  async settle(read: (bytes: Uint8Array | null) => ReadResult): Promise<void> {
    const { store, accepted } = this.#parts;
    const latest = await store.revisions.latest();
    await accepted.settle((bytes) => {
      if (!latest) return false;
      // 1. The very bytes of the revision are what was accepted, even where nothing can be made of them any more.
      if (bytes && isOfFile(hashOf(bytes), latest.fingerprint)) return true;
      const proposed = read(bytes);
      return proposed.kind === "ok" && isOfRevision(proposed.reading.settings, latest.fingerprint);
    });
  }

  /**
   * The first revision of this start: a new one only where the effective settings are not those of the last. `before`
   * is what the data folder knew last, to say what the start changed.
   */
  async begin({ reading, file }: Omit<Acceptable, "source">, before: Reading | undefined): Promise<void> {
    const latest = await this.#parts.store.revisions.latest();
    this.#parts.learnSecrets(reading.secrets);
    if (latest && isOfRevision(reading.settings, latest.fingerprint)) {
      this.#current = inForceOf(latest.revision, latest.at, reading, file);
      return;
    }
    const plan = this.planOf(reading, before ?? reading);
    // 1. What the text of `before` refers to may lead elsewhere by now: what it said is what the revision keeps of it.
    const changedKeys = latest && changedSince(latest.fingerprint, reading.settings);
    const exact = changedKeys ? { ...plan, ...byClass(changedKeys) } : plan;
    await this.#putInForce({ reading, file, source: "start" }, exact);
  }

  /**
   * Puts settings in force; a new revision only where the effective settings differ. Rejects, and nothing is in force
   * that was not, where they cannot be kept.
   */
  async accept(acceptable: Acceptable): Promise<Plan> {
    const { reading, file } = acceptable;
    const { current } = this;
    this.#parts.learnSecrets(reading.secrets);
    if (this.isOther(reading)) return this.#putInForce(acceptable, this.planOf(reading));
    if (file && file.hash !== current.hash) {
      await this.#parts.accepted.propose(file.bytes);
      await this.#parts.accepted.keep();
    }
    this.#current = inForceOf(current.revision, current.appliedAt, reading, file);
    return this.planOf(reading);
  }

  /** Whether settings would be another revision than the one in force. */
  isOther({ settings }: Reading): boolean {
    return effectiveFingerprint(settings) !== effectiveFingerprint(this.current.settings);
  }

  /** What putting settings in force would change. */
  planOf(reading: Reading, before: Reading = this.current.reading): Plan {
    const { flagKeys, countAffected } = this.#parts;
    const fromFile = { before: before.fromFile, after: reading.fromFile };
    const change = planChange(before.settings, reading.settings, flagKeys, fromFile);
    return { ...change, sessions: countAffected(reading.settings) };
  }

  async #putInForce(acceptable: Acceptable, plan: Plan): Promise<Plan> {
    const { reading, file, source } = acceptable;
    const { clock, store, accepted, onChange } = this.#parts;
    const at = clock.now();
    const fingerprint = revisionFingerprint(reading.settings, file?.hash ?? null);
    await accepted.propose(file?.bytes ?? null);
    const revision = await store.revisions.record(
      { at, source, changedKeys: plan.changedKeys, fingerprint, text: reading.maskedText },
      (number) => changeEvents(number, acceptable, plan),
    );
    // 1. From the commit of the revision to here nothing else has run: no turn starts under an older one.
    this.#current = inForceOf(revision, at, reading, file);
    onChange(this.#current, plan);
    // 2. It is in force whatever becomes of this: where it fails, the next start makes up for it.
    await accepted.keep().catch(() => {});
    return plan;
  }
}

function inForceOf(
  revision: number,
  appliedAt: number,
  reading: Reading,
  file: AcceptedFile | null,
): InForce {
  const { settings } = reading;
  const { hash = null, modifiedAt = null } = file ?? {};
  return { revision, appliedAt, reading, settings, hash, modifiedAt };
}

function changeEvents(revision: number, { source, isPlanned }: Acceptable, plan: Plan): NewEvent[] {
  const { changedKeys, live, restart, sessions } = plan;
  const planned: NewEvent[] = isPlanned === true ? [] : [{ type: "settings.planned", data: { plan } }];
  return [
    ...planned,
    {
      type: "settings.changed",
      data: {
        revision,
        source,
        changedKeys,
        appliedImmediately: live,
        pendingRestarts: sessions.now + sessions.atBoundary,
        unaffected: sessions.unaffected,
        daemonRestart: restart.length > 0,
      },
    },
  ];
}
