import type { Clock } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";
import type { DeltaEvent, MessageError, NewEvent } from "../core/events.ts";
import type { Random } from "../core/ids.ts";
import type { Consequence, Gate, Permit } from "../providers/gate.ts";
import type { CreateProvider, Failure, Provider } from "../providers/provider.ts";
import { identityOf } from "../providers/identity.ts";
import type { ClaimResult, Lease, MessageRecord, PutBackRequest, Store, TurnResult } from "../store/store.ts";
import type { Binding } from "./binding.ts";
import { contextTurns, freshContextFrom, isDueToRollOver, noteTurns } from "./context.ts";
import { afterFailure } from "./retry.ts";
import type { SessionEvent } from "./state.ts";
import { type TurnOutcome, runTurn } from "./turn.ts";

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

/** Why it was aborted: what its messages are put back for. */
export type AbortReason = "drain" | "restart" | "daemon_restart";

type Claimed = Extract<ClaimResult, { kind: "claimed" }>;

/** While the store has no room or does not answer, it is tried again this often. */
const storageRetryMs = 1000;

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

  /** Works until there is a reason to end. Throws only for a bug. */
  async run(): Promise<GeneratorEnd> {
    const { store, clock } = this.#around;
    for (;;) {
      this.#controller ??= new AbortController();
      const { signal } = this.#controller;
      if (this.isSpent) return "aborted";
      if (this.#host.isDue()) return "due";
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
    if (!permit) return;
    try {
      // 1. The code of a vendor is loaded before the claim, so that the call follows the claim without a pause.
      const provider = await this.#around.createProvider(permit.candidate.config);
      const claimed = this.#isOver(permit.candidate) ? undefined : await this.#claim(permit, signal);
      if (!claimed) return;
      const outcome = await this.#call(provider, permit.candidate, claimed);
      await this.#end(permit, claimed, outcome);
    } finally {
      // 2. Where the turn came to a verdict the slot is free already, and this does nothing.
      permit.release({ kind: "none" });
      this.#dropped = undefined;
    }
  }

  /** Whether the permit is not to be used any more: a drain may have begun, a fallback changed since it was chosen. */
  #isOver(chosen: Binding): boolean {
    if (this.isSpent || this.#host.isDue() || this.#around.gate.isClosed) return true;
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
    if (this.#abortReason !== undefined || isAnyOf(claimed, this.#dropped)) controller.abort();
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
    { messages, session }: Claimed,
    signal: AbortSignal,
  ): Promise<TurnOutcome> {
    const { store, clock, onDelta } = this.#around;
    const [first] = messages;
    const { id, seq } = messages.at(-1) ?? first;
    const exchanges = await store.messages.context(session.id, session.contextFrom, first.seq);
    const note = await store.notes.pending(session.id);
    const { system, timeoutMs, maxDurationMs } = binding.options;
    return runTurn(
      {
        session: session.id,
        system,
        turns: [...contextTurns(exchanges), ...noteTurns(note)],
        content: contentOf(messages),
        timeoutMs,
        maxDurationMs,
      },
      { provider, clock, signal, onText: (text) => onDelta({ session: session.id, message: id, seq, text }) },
    );
  }

  async #end(permit: Permit<Binding>, claimed: Claimed, outcome: TurnOutcome): Promise<void> {
    switch (outcome.kind) {
      case "done":
        permit.release({ kind: "answered", usage: outcome.usage });
        return this.#finishDone(permit.candidate, claimed, outcome);
      case "failed":
        return this.#endFailed(permit.candidate, claimed, outcome.failure, permit.release(outcome));
      case "aborted":
        permit.release({ kind: "none" });
        // 1. Not the generator but one of its messages was stopped: those that were with it are taken alone.
        return this.#putBack(claimed, { reason: this.#abortReason ?? "retry", isAlone: !this.#abortReason });
    }
    outcome satisfies never;
  }

  async #finishDone(
    binding: Binding,
    claimed: Claimed,
    outcome: Extract<TurnOutcome, { kind: "done" }>,
  ): Promise<void> {
    const { rolloverTokens } = this.binding.options;
    const rollover = isDueToRollOver(outcome.usage.inputTokens, rolloverTokens)
      ? await this.#freshContext(claimed, outcome.reply)
      : null;
    await this.#finish(binding, claimed, outcome, rollover);
  }

  async #freshContext({ messages, session }: Claimed, reply: string): Promise<{ contextFrom: number }> {
    const { rolloverTokens, rolloverKeep } = this.binding.options;
    const [first] = messages;
    const before = await this.#around.store.messages.context(session.id, session.contextFrom, first.seq);
    const exchanges = [...before, { seq: first.seq, note: null, content: contentOf(messages), reply }];
    const next = (messages.at(-1) ?? first).seq + 1;
    return { contextFrom: freshContextFrom(exchanges, next, rolloverKeep, rolloverTokens) };
  }

  async #endFailed(
    binding: Binding,
    claimed: Claimed,
    failure: Failure,
    consequence: Consequence,
  ): Promise<void> {
    const { clock, random, retry } = this.#around;
    const [first] = claimed.messages;
    const error = this.#errorOf(failure);
    const attempted = {
      // Not as arguments of one call: a batch may be longer than those can be.
      attempts: claimed.messages.reduce((most, message) => Math.max(most, message.attempts), 0),
      hasRolledOver: first.overflowed,
      isBatch: claimed.messages.length > 1,
    };
    const next = afterFailure(failure, attempted, retry(), random);
    switch (next.kind) {
      case "fail":
        return this.#finish(binding, claimed, { kind: "failed", error }, null);
      case "retry":
        return this.#putBack(claimed, {
          reason: "retry",
          isCounted: true,
          error,
          retryAt: clock.now() + next.waitMs,
        });
      case "park":
        return this.#putBack(claimed, {
          reason: consequence.kind === "held" ? "held" : "retry",
          error,
          announcedAt: consequence.kind === "parked" ? consequence.until : null,
        });
      case "roll_over":
        return this.#putBack(claimed, { reason: "retry", error, rollover: { contextFrom: first.seq } });
      case "split":
        return this.#putBack(claimed, { reason: "retry", error, isAlone: true });
    }
    next satisfies never;
  }

  #errorOf({ kind, message, status }: Failure): MessageError {
    return { kind, message: this.#around.redact(message), ...(status !== undefined && { status }) };
  }

  #finish(
    binding: Binding,
    claimed: Claimed,
    result: TurnResult,
    rollover: { contextFrom: number } | null,
  ): Promise<void> {
    const { store, clock } = this.#around;
    const identity = identityOf(binding.config).binding;
    const request = { messages: idsOf(claimed), lease: this.lease, result, rollover, identity };
    return this.#store(() => store.messages.finish({ ...request, at: clock.now() }));
  }

  #putBack(
    claimed: Claimed,
    how: { reason: PutBackRequest["reason"] } & Partial<
      Pick<PutBackRequest, "isCounted" | "error" | "retryAt" | "announcedAt" | "rollover" | "isAlone">
    >,
  ): Promise<void> {
    const { store, clock } = this.#around;
    const request = {
      isCounted: false,
      error: null,
      retryAt: null,
      announcedAt: how.retryAt ?? null,
      rollover: null,
      isAlone: false,
      ...how,
      messages: idsOf(claimed),
      lease: this.lease,
    };
    return this.#store(() => store.messages.putBack({ ...request, at: clock.now() }));
  }

  /**
   * Stores the end of a turn, however long it takes until there is room: a reply is not thrown away because the
   * disk is full. Once aborted it tries only once: the next start returns the message.
   */
  async #store(write: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await write();
        return;
      } catch (thrown) {
        if (!isStorageFault(thrown) || this.#abortReason !== undefined) throw thrown;
        await this.#around.clock.sleep(storageRetryMs);
      }
    }
  }
}

function isAnyOf({ messages }: Claimed, dropped: ReadonlySet<string> | undefined): boolean {
  return messages.some((message) => dropped?.has(message.id));
}

function idsOf({ messages }: Claimed): string[] {
  return messages.map((message) => message.id);
}

/** A batch goes into its turn in order, joined by blank lines (contract section 4). */
function contentOf(messages: readonly MessageRecord[]): string {
  return messages.map((message) => message.content).join("\n\n");
}

/** `batchMax` 0 means all that is pending. */
function messagesPerTurn({ options }: Binding): number {
  if (options.mode === "single") return 1;
  return options.batchMax === 0 ? Number.MAX_SAFE_INTEGER : options.batchMax;
}

function isStorageFault(thrown: unknown): boolean {
  return thrown instanceof SegueError && (thrown.code === "storage" || thrown.code === "storage_full");
}
