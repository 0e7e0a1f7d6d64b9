import { isStorageFault } from "../core/errors.ts";
import type { NewEvent } from "../core/events.ts";
import type { Permit } from "../providers/permit.ts";
import type { Provider } from "../providers/provider.ts";
import type { Lease } from "../store/turns.ts";
import type { Binding } from "./binding.ts";
import { type Claimed, hasAnyOf, idsOf, lastOf, messagesPerTurn, turnOrder } from "./claimed.ts";
import { Settlement, storageRetryMs } from "./settlement.ts";
import type { SessionEvent } from "./state.ts";
import type { Surroundings } from "./surroundings.ts";
import type { AbortReason } from "./turn-end.ts";
import { type TurnOutcome, runTurn } from "./turn.ts";

/** What a generator asks of its session, and tells it. */
export interface GeneratorHost {
  readonly id: string;
  /** Whether this generator should end at this boundary: another binding is due, or the session is closing. */
  isDue(): boolean;
  /** The revision that the generator's binding came with. */
  readonly bindingRevision: number;
  /** Whether it leaves the binding it went back to, to try the held one it wants. */
  takesTrial(): boolean;
  /** Where to go while the chosen provider is parked. */
  fallbacks(): readonly Binding[];
  /** Events to commit with the claim that makes the session busy. */
  eventsOfClaim(): readonly NewEvent[];
  post(event: SessionEvent): void;
}

/** Why a run ended: nothing pending; another generator is due; it was aborted. */
export type GeneratorEnd = "empty" | "due" | "aborted";

/**
 * The loop that takes a session's messages, in order, and makes its turns under one binding. Idle, it does not run:
 * it keeps its id and its binding, and `run` takes up the work. One run at a time; after `abort` no other.
 */
export class Generator {
  readonly id: string;
  readonly binding: Binding;
  readonly #host: GeneratorHost;
  readonly #around: Surroundings;
  /** Ends waits; a turn has an abort of its own, so that one message can be cancelled alone. */
  #controller: AbortController | undefined;
  #turn: { messages: readonly string[]; controller: AbortController } | undefined;
  /** The message that is taken next; what is waited for is waited for with it. */
  #head: string | undefined;
  /** While a claim is under way: messages that were cancelled meanwhile, and may be among those claimed. */
  #dropped: Set<string> | undefined;
  #abortReason: AbortReason | undefined;
  #isRetired = false;

  constructor(id: string, binding: Binding, host: GeneratorHost, around: Surroundings) {
    this.id = id;
    this.binding = binding;
    this.#host = host;
    this.#around = around;
  }

  /** Stops whatever the generator is at, a turn included; its message is then put back for `reason`, uncounted. */
  abort(reason: AbortReason): void {
    this.#abortReason ??= reason;
    this.#controller?.abort();
    this.#turn?.controller.abort();
  }

  /** Ends it at its boundary: waits are cut short, a turn in flight or just claimed is not. */
  retire(): void {
    this.#isRetired = true;
    this.#controller?.abort();
  }

  /** Whether it was aborted or retired: it then takes no other turn. */
  get isSpent(): boolean {
    return this.#isRetired || this.#abortReason !== undefined;
  }

  /** How many messages are in the turn in flight; 0 where there is none. */
  get inFlight(): number {
    return this.#turn?.messages.length ?? 0;
  }

  /** A message has ended otherwise (cancelled): its turn is stopped, or the wait that was for it. */
  dropMessage(message: string): void {
    this.#dropped?.add(message);
    if (this.#turn?.messages.includes(message) === true) this.#turn.controller.abort();
    if (this.#turn || this.#dropped || message !== this.#head) return;
    const waits = this.#controller;
    this.#controller = undefined;
    waits?.abort();
  }

  /**
   * Works until there is a reason to end. Throws only for a bug. `isExpecting`: a message is being accepted in this turn
   * of the event loop, where nothing was pending; its claim is asked for at once, so that one commit holds both.
   */
  async run(isExpecting = false): Promise<GeneratorEnd> {
    const { store, clock } = this.#around;
    for (;;) {
      this.#controller ??= new AbortController();
      const { signal } = this.#controller;
      if (this.isSpent) return "aborted";
      if (this.#host.isDue()) return "due";
      if (isExpecting) {
        isExpecting = false;
        await this.#takeExpected(signal);
        continue;
      }
      const head = await store.messages.head(this.#host.id);
      this.#head = head?.id;
      if (!head) return "empty";
      if (this.#host.takesTrial()) return "due";
      const now = clock.now();
      if (this.binding.problem !== null) await this.#waitForKey(signal);
      else if (head.retryAt !== null && head.retryAt > now) {
        this.#host.post({ type: "waits", for: "retry", until: head.retryAt });
        await clock.sleep(head.retryAt - now, signal);
      } else await this.#takeTurn(head.crashes > 0, signal);
    }
  }

  get lease(): Lease {
    return { boot: this.#around.boot, generator: this.id };
  }

  /** Nothing but an edit helps, and an edit aborts this generator. */
  #waitForKey(signal: AbortSignal): Promise<void> {
    this.#host.post({ type: "waits", for: "key", until: null });
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  async #takeTurn(isSuspect: boolean, signal: AbortSignal): Promise<void> {
    const permit = await this.#around.gate.admit<Binding>({
      candidates: () => [this.binding, ...this.#host.fallbacks()],
      isSuspect,
      signal,
      onWait: (reason, until) => this.#host.post({ type: "waits", for: reason, until }),
    });
    if (permit) await this.#takeTurnUnder(permit, signal);
  }

  /** Where it may not start at once, or what was expected does not come, nothing has happened. */
  async #takeExpected(signal: AbortSignal): Promise<void> {
    if (this.binding.problem !== null) return;
    const permit = this.#around.gate.admitNow<Binding>([this.binding, ...this.#host.fallbacks()]);
    if (permit) await this.#takeTurnUnder(permit, signal);
  }

  async #takeTurnUnder(permit: Permit<Binding>, signal: AbortSignal): Promise<void> {
    try {
      // 1. The code of a vendor is loaded before the claim, so that the call follows the claim without a pause.
      const provider = await this.#around.createProvider(permit.candidate.config);
      const claimed = this.#isOver(permit) ? undefined : await this.#claim(permit, signal);
      if (!claimed) return;
      const outcome = await this.#call(provider, permit.candidate, claimed);
      await this.#settlementOf(permit, claimed).settle(outcome);
    } finally {
      // 2. Where the turn came to a verdict the slot is free already, and this does nothing.
      permit.release({ kind: "none" });
      this.#dropped = undefined;
    }
  }

  #settlementOf(permit: Permit<Binding>, claimed: Claimed): Settlement {
    const abortReason = (): AbortReason | undefined => this.#abortReason;
    const { lease, binding } = this;
    return new Settlement({ around: this.#around, lease, binding, permit, claimed, abortReason });
  }

  /** Whether the permit is not to be used any more: a drain may have begun, a fallback changed since it was chosen. */
  #isOver(permit: Permit<Binding>): boolean {
    const { candidate: chosen } = permit;
    if (this.isSpent || this.#host.isDue() || !permit.isGood()) return true;
    return (
      chosen !== this.binding &&
      !this.#host.fallbacks().some((fallback) => fallback.fingerprint === chosen.fingerprint)
    );
  }

  async #claim(permit: Permit<Binding>, signal: AbortSignal): Promise<Claimed | undefined> {
    const { store, clock } = this.#around;
    const { candidate } = permit;
    this.#dropped = new Set();
    try {
      const claim = await store.messages.claim({
        session: this.#host.id,
        lease: this.lease,
        newestRevision: this.#around.revision(),
        revision: candidate === this.binding ? this.#host.bindingRevision : this.#around.revision(),
        limit: messagesPerTurn(this.binding),
        provider: candidate.provider,
        model: candidate.config.model,
        fallbackFrom: candidate.provider === this.binding.provider ? null : this.binding.provider,
        at: clock.now(),
        events: this.#host.eventsOfClaim(),
      });
      return claim.kind === "claimed" ? claim : undefined;
    } catch (thrown) {
      if (!isStorageFault(thrown)) throw thrown;
      await clock.sleep(storageRetryMs, signal);
      return undefined;
    }
  }

  async #call(provider: Provider, binding: Binding, claimed: Claimed): Promise<TurnOutcome> {
    const controller = new AbortController();
    this.#turn = { messages: idsOf(claimed), controller };
    this.#host.post({ type: "claimed", message: claimed.messages[0].id });
    // 1. What happened while the claim was under way ends the turn before its call.
    if (this.#abortReason !== undefined || hasAnyOf(claimed, this.#dropped)) controller.abort();
    this.#dropped = undefined;
    try {
      return await this.#converse(provider, binding, claimed, controller.signal);
    } finally {
      this.#turn = undefined;
    }
  }

  async #converse(
    provider: Provider,
    binding: Binding,
    claimed: Claimed,
    signal: AbortSignal,
  ): Promise<TurnOutcome> {
    const { store, clock, onDelta } = this.#around;
    const { session, messages } = claimed;
    const exchanges = await store.messages.context(session.id, session.contextFrom, messages[0].seq);
    const note = await store.notes.pending(session.id);
    const { id, seq } = lastOf(claimed);
    const onText = (text: string): void => onDelta({ session: session.id, message: id, seq, text });
    return runTurn(turnOrder(claimed, binding, exchanges, note), { provider, clock, signal, onText });
  }
}
