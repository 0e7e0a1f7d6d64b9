import { errorText } from "../core/errors.ts";
import type { BindingLabel, BlockedBy, NewEvent, RestartReason } from "../core/events.ts";
import type { Ids } from "../core/ids.ts";
import type { Guard } from "../providers/guard.ts";
import { type Binding, type BindingInputs, inputsAlone, restartReason, withOptionsOf } from "./binding.ts";
import type { Bindings } from "./bindings.ts";
import { Generator, type GeneratorHost } from "./generator.ts";
import { type SessionEvent, type SessionState, step } from "./state.ts";
import type { Surroundings } from "./surroundings.ts";
import { type OlderBinding, bindingToGoBackTo } from "./target.ts";
import type { AbortReason } from "./turn-end.ts";

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

/** What a session says of itself when it is loaded. */
export interface SessionInputs extends BindingInputs {
  id: string;
  /** Identity of what its last turn that ended well ran under. */
  proven: string | null;
}

/** A restart that is due and has not happened yet. */
export interface PendingRestart {
  reason: RestartReason;
  requestedAt: number;
  blockedBy: BlockedBy;
}

/** The first wait before a generator that died of a bug is started again; doubled each time, at most a minute. */
const firstRecoveryMs = 1000;
const longestRecoveryMs = 60_000;

/**
 * One loaded session: owns its state and its generator. Everything from outside comes through `wake` (there may be
 * work), `refresh` (there may be another binding to have), `restart` and `close`.
 */
export class Session implements GeneratorHost {
  readonly id: string;
  readonly #around: SessionSurroundings;
  #inputs: BindingInputs;
  #state: SessionState;
  #generator: Generator;
  /** The newest revision whose binding the generator has. */
  #revision: number;
  /** What it may go back to where the binding it wants is held. */
  #older: OlderBinding | undefined;
  #provenBefore: string | null;
  #requestedRestartAt: number | undefined;
  /** Since when another binding is due; undefined: since the revision in force. */
  #dueSince: number | undefined;
  #loop: Promise<void> | undefined;
  #isWoken = false;
  #recoveries = 0;
  /** Ends the pause after a fault. */
  #pause: AbortController | undefined;

  constructor(inputs: SessionInputs, around: SessionSurroundings) {
    this.id = inputs.id;
    this.#around = around;
    this.#inputs = inputsAlone(inputs);
    this.#provenBefore = inputs.proven;
    this.#state = { kind: "idle", since: around.clock.now() };
    const { binding, revision } = this.#target();
    this.#generator = new Generator(around.ids.generator(), binding, this, around);
    this.#revision = revision;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Whether its generator is at work, so that closing it has something to wait for. */
  get isAtWork(): boolean {
    return this.#loop !== undefined;
  }

  /** How many messages are in the turn in flight; 0 where there is none. */
  get inFlight(): number {
    return this.#generator.inFlight;
  }

  get generatorId(): string {
    return this.#generator.id;
  }

  get binding(): Binding {
    return this.#generator.binding;
  }

  /** The binding it wants; another than the one it has while that is held, or a restart is due. */
  get wanted(): Binding {
    return this.#around.bindings.of(this.#inputs);
  }

  /** The revision the generator runs under: the newest whose binding is equal to its own. */
  get bindingRevision(): number {
    return this.#revision;
  }

  /** What is due is derived from what is and what should be; nothing has to be remembered or cleared. */
  get pendingRestart(): PendingRestart | null {
    const reason = this.#dueReason();
    if (reason === undefined) return null;
    const requestedAt = this.#requestedRestartAt ?? this.#dueSince ?? this.#around.bindings.inForce.appliedAt;
    return { reason, requestedAt, blockedBy: this.#blockedBy() };
  }

  /** While the binding it wants is held: the one it goes back to; null where it waits. */
  runsInstead(): { provider: string; model: string } | null {
    const { binding } = this.#target();
    if (binding.fingerprint === this.wanted.fingerprint) return null;
    return { provider: binding.provider, model: binding.config.model };
  }

  /** Whether settings not yet in force would give it another binding. */
  wouldChangeUnder(bindings: Bindings): boolean {
    return bindings.of(this.#inputs).fingerprint !== this.wanted.fingerprint;
  }

  /** There may be something pending: takes it up unless it is at work already. */
  wake(): void {
    this.#isWoken = true;
    if (this.#loop || this.#state.kind === "closed") return;
    this.#loop = this.#work().finally(() => {
      this.#loop = undefined;
      // 1. A message that came while the loop was ending would otherwise wait for the next one.
      if (this.#isWoken) this.wake();
    });
  }

  /** Another binding may be the one to have now: the session's wishes changed. */
  refresh(inputs: BindingInputs): void {
    this.#inputs = inputsAlone(inputs);
    this.#dueSince = this.#around.clock.now();
    if (!this.follow()) this.#dueSince = undefined;
  }

  /**
   * Another binding may be the one to have now. Restarts at once or at the boundary; the answer is whether a restart
   * is due. What it does not change is the binding of a revision that is equal: that only gets the newer number.
   */
  follow(): boolean {
    const reason = this.#dueReason();
    if (reason === undefined) this.#revision = this.#target().revision;
    else {
      this.post({ type: "due", reason });
      this.#pause?.abort();
    }
    return reason !== undefined;
  }

  /** Asks for another generator under the same wishes: at the boundary, or now, with a turn in flight put back. */
  restart(when: "boundary" | "now"): "now" | "at_boundary" {
    const isBusy = this.#state.kind === "busy";
    this.#requestedRestartAt ??= this.#around.clock.now();
    // 1. Also where no turn shows yet: a claim may be under way, and its turn is then not begun.
    if (when === "now") this.#generator.abort("restart");
    if (!isBusy || when === "boundary") this.post({ type: "due", reason: this.#dueReason() ?? "requested" });
    this.#pause?.abort();
    return isBusy && when === "boundary" ? "at_boundary" : "now";
  }

  /** A message of it ended without its turn, cancelled: its turn is aborted, or what was waited for with it. */
  dropMessage(message: string): void {
    this.#generator.dropMessage(message);
    this.wake();
  }

  /**
   * Starts no turn any more. Resolves when nothing runs; a turn in flight may end until `abort` is called.
   */
  async close(): Promise<void> {
    const hadTurn = this.inFlight > 0;
    this.post({ type: "closed" });
    this.#around.guard.abandonTrials(this.id);
    this.#pause?.abort();
    if (!hadTurn) this.#generator.retire();
    await this.#loop;
  }

  /** Aborts whatever it is at; a message in flight is put back, uncounted. */
  abort(reason: AbortReason): void {
    this.#generator.abort(reason);
  }

  /** See `GeneratorHost`. */
  isDue(): boolean {
    return this.#state.kind === "closed" || this.#dueReason() !== undefined;
  }

  /** See `GeneratorHost`. */
  takesTrial(): boolean {
    const { guard, clock } = this.#around;
    const { wanted } = this;
    if (wanted.fingerprint === this.binding.fingerprint) return false;
    return guard.takeTrial(wanted.config, this.id, clock.now());
  }

  /** See `GeneratorHost`. */
  fallbacks(): readonly Binding[] {
    return this.#around.bindings.fallbacks(this.#inputs);
  }

  /** See `GeneratorHost`. */
  eventsOfClaim(): readonly NewEvent[] {
    return this.#state.kind === "busy"
      ? []
      : [{ type: "session.busy", data: { session: this.id, inFlight: 1 } }];
  }

  /** See `GeneratorHost`: one place changes the state, and carries out what the change takes. */
  post(event: SessionEvent): void {
    const { state, effects } = step(this.id, this.#state, event, this.#around.clock.now());
    this.#around.onStep?.(this.id, this.#state, event, state);
    this.#state = state;
    for (const effect of effects)
      if (effect.kind === "tell") this.#around.tell([effect.event]);
      else this.#beginReplacement();
  }

  /** The generator has no turn in flight: at work it ends soon, and the loop replaces it; idle it is replaced now. */
  #beginReplacement(): void {
    this.#generator.retire();
    this.wake();
  }

  async #work(): Promise<void> {
    while (this.#state.kind !== "closed") {
      try {
        if (this.#state.kind === "restarting" || this.#generator.isSpent || this.#dueReason() !== undefined)
          await this.#replace();
        this.#isWoken = false;
        const end = await this.#generator.run();
        if (end !== "empty" || this.#isWoken) continue;
        // 1. It was to try a held binding and has nothing left to try it with: that is for another session.
        if (this.#around.guard.isTrying(this.wanted.config, this.id)) {
          this.#around.guard.abandonTrials(this.id);
          continue;
        }
        this.#recoveries = 0;
        this.post({ type: "emptied" });
        return;
      } catch (thrown) {
        await this.#recover(thrown);
      }
    }
    this.#isWoken = false;
  }

  /**
   * A bug, or a store that is gone: gives the lease back, and after a pause another generator takes the work up. An
   * edit cuts the pause short.
   */
  async #recover(thrown: unknown): Promise<void> {
    const { clock } = this.#around;
    this.#around.onFault(this.id, thrown);
    let isGivenBack = await this.#giveLeaseBack();
    this.post({ type: "restarts", reason: this.#dueReason() ?? "requested" });
    do {
      if (this.#isClosed()) return;
      this.#pause = new AbortController();
      const pauseMs = Math.min(firstRecoveryMs * 2 ** Math.min(this.#recoveries++, 10), longestRecoveryMs);
      await clock.sleep(pauseMs, this.#pause.signal);
      this.#pause = undefined;
      // 1. No message is taken before the one that was in flight is pending again: it comes first.
      isGivenBack ||= await this.#giveLeaseBack();
    } while (!isGivenBack);
    if (this.#isClosed()) return;
    const cause = this.#around.redact(errorText(thrown));
    this.#around.tell([{ type: "session.recovered", data: { session: this.id, cause } }]);
    // 2. A restart that is due is for the loop, which does it as any other.
    if (this.#dueReason() !== undefined) return;
    this.#install();
    this.post({ type: "replaced", hasPending: true });
  }

  async #giveLeaseBack(): Promise<boolean> {
    const { clock, store } = this.#around;
    try {
      await store.messages.release(this.#generator.lease, clock.now());
      return true;
    } catch (thrown) {
      this.#around.onFault(this.id, thrown);
      return false;
    }
  }

  /** The old generator is at a boundary: its `run` has returned, or it was idle. */
  async #replace(): Promise<void> {
    const { store, clock } = this.#around;
    const begunFor =
      this.#dueReason() ?? (this.#state.kind === "restarting" ? this.#state.reason : "requested");
    const requestedAt = this.pendingRestart?.requestedAt ?? clock.now();
    this.post({ type: "restarts", reason: begunFor });
    const head = await store.messages.head(this.id);
    // 1. What was tried was tried under the old binding; a restart by hand is under the same and forgets nothing. What
    //    is due is asked after the wait: an edit may have come meanwhile, or the one it was for was taken back.
    if (head && this.#isOtherBindingDue() && (head.attempts > 0 || head.retryAt !== null))
      await store.messages.resetAttempts(this.id);
    // 2. From here on nothing is awaited: the binding that is due is the one that is installed.
    const reason = this.#dueReason() ?? begunFor;
    const from = this.#label();
    const oldGeneratorId = this.generatorId;
    this.#install();
    const { id: session, generatorId } = this;
    const waitedMs = Math.max(0, clock.now() - requestedAt);
    const data = { session, from, to: this.#label(), oldGeneratorId, generatorId, reason, waitedMs };
    this.#around.tell([{ type: "session.restarted", data }]);
    this.post({ type: "replaced", hasPending: head !== undefined });
    this.#around.onRestarted(session);
  }

  #install(): void {
    const { guard, ids } = this.#around;
    if (guard.isProven(this.binding.config) && !guard.holdOver(this.binding.config))
      this.#older = { binding: this.binding, revision: this.#revision };
    this.#requestedRestartAt = undefined;
    this.#dueSince = undefined;
    // 1. Whoever came to want another binding than the held one it was to try leaves that to another session.
    if (!guard.isTrying(this.wanted.config, this.id)) guard.abandonTrials(this.id);
    const { binding, revision } = this.#target();
    this.#generator = new Generator(ids.generator(), binding, this, this.#around);
    this.#revision = revision;
  }

  #isOtherBindingDue(): boolean {
    return this.#target().binding.fingerprint !== this.binding.fingerprint;
  }

  #dueReason(): RestartReason | undefined {
    const { binding } = this.#target();
    if (binding.fingerprint !== this.binding.fingerprint) return restartReason(this.binding, binding);
    return this.#requestedRestartAt === undefined ? undefined : "requested";
  }

  /** The binding it should have now: what it wants, or while that is held what it may go back to. */
  #target(): OlderBinding {
    const { guard, bindings } = this.#around;
    const { wanted } = this;
    const back = bindingToGoBackTo(guard, this.id, wanted, () => this.#lastProven());
    if (!back) return { binding: wanted, revision: this.#around.revision() };
    return { binding: bindings.back(back.binding, wanted), revision: back.revision };
  }

  /** Its own, else what its last turn ran under as far as this run of the daemon or the settings still hold it. */
  #lastProven(): OlderBinding | undefined {
    if (this.#older) return this.#older;
    const { guard, bindings } = this.#around;
    const proven = this.#provenBefore === null ? undefined : guard.provenBinding(this.#provenBefore);
    const inMemory = proven && guard.provenCandidate(proven.identity);
    const binding = inMemory
      ? withOptionsOf(inMemory, this.wanted)
      : proven && bindings.rebuild(proven, this.#inputs);
    if (binding) this.#older = { binding, revision: this.#around.revision() };
    else this.#provenBefore = null;
    return this.#older;
  }

  #blockedBy(): BlockedBy {
    if (this.#state.kind === "busy") return "turn";
    return this.#state.kind === "idle" ? "step" : "settling";
  }

  #label(): BindingLabel {
    const { provider, config } = this.binding;
    return { provider, model: config.model, revision: this.#revision };
  }

  #isClosed(): boolean {
    return this.#state.kind === "closed";
  }
}
