import { errorText } from "../core/errors.ts";
import type { BindingLabel, NewEvent, RestartReason } from "../core/events.ts";
import type { Binding, BindingInputs } from "./binding.ts";
import type { Bindings } from "./bindings.ts";
import { type PendingRestart, blockedBy, dueReason } from "./due.ts";
import { Generator, type GeneratorHost } from "./generator.ts";
import { Recovery } from "./recovery.ts";
import { type SessionEvent, type SessionState, step } from "./state.ts";
import type { SessionSurroundings } from "./surroundings.ts";
import { type SessionInputs, Target } from "./target.ts";
import type { AbortReason } from "./turn-end.ts";

/**
 * One loaded session: owns its state and its generator. Everything from outside comes through `wake` (there may be
 * work), `refresh` (there may be another binding to have), `restart` and `close`.
 */
export class Session implements GeneratorHost {
  readonly id: string;
  readonly #around: SessionSurroundings;
  readonly #target: Target;
  #state: SessionState;
  #generator: Generator;
  /** The newest revision whose binding the generator has. */
  #revision: number;
  #requestedRestartAt: number | undefined;
  /** Since when another binding is due; undefined: since the revision in force. */
  #dueSince: number | undefined;
  /** A message is being accepted; see `expect`. */
  #isExpecting = false;
  /** The end of the deleted session whose place it takes. */
  #before: Promise<unknown> | undefined;
  #loop: Promise<void> | undefined;
  #isWoken = false;
  /** From a fault until its work is done. */
  #recovery: Recovery | undefined;

  /** Where `before` is given, it begins nothing until that has resolved. */
  constructor(inputs: SessionInputs, around: SessionSurroundings, before?: Promise<unknown>) {
    this.id = inputs.id;
    this.#before = before;
    this.#around = around;
    this.#target = new Target(inputs, around);
    this.#state = { kind: "idle", since: around.clock.now() };
    const { binding, revision } = this.#target.now();
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
    return this.#target.wanted;
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
    return { reason, requestedAt, blockedBy: blockedBy(this.#state) };
  }

  /** While the binding it wants is held: the one it goes back to; null where it waits. */
  runsInstead(): { provider: string; model: string } | null {
    const { binding } = this.#target.now();
    if (binding.fingerprint === this.wanted.fingerprint) return null;
    return { provider: binding.provider, model: binding.config.model };
  }

  /** Whether settings not yet in force would give it another binding. */
  wouldChangeUnder(bindings: Bindings): boolean {
    return this.#target.wouldChangeUnder(bindings);
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

  /**
   * A message for it is being accepted in this turn of the event loop, and it is woken when it is stored. Where it has
   * nothing else to do, its turn is asked for at once.
   */
  expect(): void {
    const { fingerprint } = this.binding;
    if (this.#loop || this.#state.kind !== "idle" || this.wanted.fingerprint !== fingerprint || this.isDue())
      return;
    this.#isExpecting = true;
    this.wake();
  }

  /** Another binding may be the one to have now: the session's wishes changed. */
  refresh(inputs: BindingInputs): void {
    this.#target.wish(inputs);
    this.#dueSince = this.#around.clock.now();
    if (!this.follow()) this.#dueSince = undefined;
  }

  /**
   * Another binding may be the one to have now. Restarts at once or at the boundary; the answer is whether a restart
   * is due. What it does not change is the binding of a revision that is equal: that only gets the newer number.
   */
  follow(): boolean {
    const reason = this.#dueReason();
    if (reason === undefined) this.#revision = this.#target.now().revision;
    else {
      this.post({ type: "due", reason });
      this.#recovery?.cutShort();
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
    this.#recovery?.cutShort();
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
    this.#recovery?.cutShort();
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
    return this.#target.fallbacks();
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
        if (this.#before) {
          await this.#letEnd(this.#before);
          continue;
        }
        if (this.#state.kind === "restarting" || this.#generator.isSpent || this.#dueReason() !== undefined)
          await this.#replace();
        this.#isWoken = false;
        const isExpecting = this.#isExpecting;
        this.#isExpecting = false;
        const end = await this.#generator.run(isExpecting);
        if (end !== "empty" || this.#isWoken) continue;
        // 1. It was to try a held binding and has nothing left to try it with: that is for another session.
        if (this.#around.guard.isTrying(this.wanted.config, this.id)) {
          this.#around.guard.abandonTrials(this.id);
          continue;
        }
        this.#recovery = undefined;
        this.post({ type: "emptied" });
        return;
      } catch (thrown) {
        await this.#recover(thrown);
      }
    }
    this.#isWoken = false;
  }

  /** In the moment of its deletion the one before may have claimed a message of this one: by its end that is put back. */
  async #letEnd(before: Promise<unknown>): Promise<void> {
    this.#before = undefined;
    this.post({ type: "restarts", reason: "requested" });
    await before;
    this.post({ type: "replaced", hasPending: true });
  }

  /**
   * A bug, or a store that is gone: gives the lease back, and after a pause another generator takes the work up. An
   * edit cuts the pause short.
   */
  async #recover(thrown: unknown): Promise<void> {
    this.#around.onFault(this.id, thrown);
    const recovery = (this.#recovery ??= new Recovery(this.id, this.#around));
    const { lease } = this.#generator;
    const isGivenBack = await recovery.giveBack(lease);
    this.post({ type: "restarts", reason: this.#dueReason() ?? "requested" });
    await recovery.rest(lease, isGivenBack, () => this.#isClosed());
    if (this.#isClosed()) return;
    const cause = this.#around.redact(errorText(thrown));
    this.#around.tell([{ type: "session.recovered", data: { session: this.id, cause } }]);
    // 1. A restart that is due is for the loop, which does it as any other.
    if (this.#dueReason() !== undefined) return;
    this.#install();
    this.post({ type: "replaced", hasPending: true });
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
    let forgottenFor: RestartReason | undefined;
    if (head && this.#isOtherBindingDue() && (head.attempts > 0 || head.retryAt !== null)) {
      forgottenFor = this.#dueReason();
      await store.messages.resetAttempts(this.id);
    }
    // 2. From here on nothing is awaited: the binding that is due is the one that is installed. Told is what holds now:
    //    under the same binding, with nothing forgotten, it is a restart that changes nothing.
    const reason = (this.#isOtherBindingDue() ? this.#dueReason() : forgottenFor) ?? "requested";
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
    this.#target.leave({ binding: this.binding, revision: this.#revision });
    this.#requestedRestartAt = undefined;
    this.#dueSince = undefined;
    // 1. Whoever came to want another binding than the held one it was to try leaves that to another session.
    if (!guard.isTrying(this.wanted.config, this.id)) guard.abandonTrials(this.id);
    const { binding, revision } = this.#target.now();
    this.#generator = new Generator(ids.generator(), binding, this, this.#around);
    this.#revision = revision;
  }

  #isOtherBindingDue(): boolean {
    return this.#target.now().binding.fingerprint !== this.binding.fingerprint;
  }

  #dueReason(): RestartReason | undefined {
    return dueReason(this.binding, this.#target.now().binding, this.#requestedRestartAt !== undefined);
  }

  #label(): BindingLabel {
    const { provider, config } = this.binding;
    return { provider, model: config.model, revision: this.#revision };
  }

  #isClosed(): boolean {
    return this.#state.kind === "closed";
  }
}
