import type { Clock } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";
import type { DeltaEvent, MessageError, NewEvent } from "../core/events.ts";
import type { Random } from "../core/ids.ts";
import type { Gate, Permit } from "../providers/gate.ts";
import type { CreateProvider, Failure, Provider } from "../providers/provider.ts";
import type { ClaimResult, Lease, MessageRecord, SessionRecord, Store } from "../store/store.ts";
import type { Binding } from "./binding.ts";
import { contextTurns, freshContextFrom, isDueToRollOver } from "./context.ts";
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
  #turn: { message: string; controller: AbortController } | undefined;
  #abortReason: AbortReason | undefined;

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

  /** Whether it was aborted: it then never runs again. */
  get isSpent(): boolean {
    return this.#abortReason !== undefined;
  }

  /** Whether a turn is in flight. */
  get hasTurn(): boolean {
    return this.#turn !== undefined;
  }

  /** Stops the turn of a message that has ended otherwise (cancelled, deleted); the generator goes on. */
  abortTurn(message: string): void {
    if (this.#turn?.message === message) this.#turn.controller.abort();
  }

  /** Works until there is a reason to end. Throws only for a bug. */
  async run(): Promise<GeneratorEnd> {
    const { store, clock } = this.#around;
    this.#controller ??= new AbortController();
    const { signal } = this.#controller;
    for (;;) {
      if (this.isSpent) return "aborted";
      if (this.#host.isDue()) return "due";
      const head = await store.messages.head(this.#host.id);
      if (!head) return "empty";
      const now = clock.now();
      if (this.binding.problem !== null) await this.#waitForKey(signal);
      else if (head.retryAt !== null && head.retryAt > now) {
        this.#host.post({ type: "waits", for: "retry", until: head.retryAt });
        await clock.sleep(head.retryAt - now, signal);
      } else await this.#takeTurn(signal);
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

  async #takeTurn(signal: AbortSignal): Promise<void> {
    const permit = await this.#around.gate.admit<Binding>({
      candidates: () => [this.binding, ...this.#host.fallbacks()],
      signal,
      onWait: (reason, until) => this.#host.post({ type: "waits", for: reason, until }),
    });
    if (!permit) return;
    // 1. The code of a vendor is loaded before the claim, so that the call follows the claim without a pause.
    const provider = await this.#around.createProvider(permit.candidate.config);
    const claimed = this.#isOver() ? undefined : await this.#claim(permit, signal);
    if (!claimed) {
      permit.release({ kind: "none" });
      return;
    }
    this.#host.post({ type: "claimed", message: claimed.message.id });
    const controller = new AbortController();
    this.#turn = { message: claimed.message.id, controller };
    if (this.isSpent) controller.abort();
    const outcome = await this.#call(provider, permit.candidate, claimed, controller.signal).catch((thrown) => {
      permit.release({ kind: "none" });
      throw thrown;
    });
    this.#turn = undefined;
    await this.#end(permit, claimed, outcome);
  }

  #isOver(): boolean {
    return this.isSpent || this.#host.isDue();
  }

  async #claim(permit: Permit<Binding>, signal: AbortSignal): Promise<Claimed | undefined> {
    const { store, clock } = this.#around;
    const { candidate } = permit;
    try {
      const claim = await store.messages.claim({
        session: this.#host.id,
        lease: this.lease,
        revision: this.#around.revision(),
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

  async #call(
    provider: Provider,
    binding: Binding,
    { message, session }: Claimed,
    signal: AbortSignal,
  ): Promise<TurnOutcome> {
    const { store, clock, onDelta } = this.#around;
    const { id, seq } = message;
    const exchanges = await store.messages.context(session.id, session.contextFrom, seq);
    const { system, timeoutMs, maxDurationMs } = binding.options;
    return runTurn(
      { session: session.id, system, turns: contextTurns(exchanges), content: message.content, timeoutMs, maxDurationMs },
      {
        provider,
        clock,
        signal,
        onText: (text) => onDelta({ session: session.id, message: id, seq, text }),
      },
    );
  }

  async #end(permit: Permit<Binding>, { message, session }: Claimed, outcome: TurnOutcome): Promise<void> {
    switch (outcome.kind) {
      case "done":
        permit.release({ kind: "answered", usage: outcome.usage });
        return this.#finishDone(message, session, outcome);
      case "failed":
        return this.#endFailed(message, outcome.failure, permit.release(outcome));
      case "aborted":
        permit.release({ kind: "none" });
        return this.#putBack(message, { reason: this.#abortReason ?? "restart", isCounted: false });
    }
    outcome satisfies never;
  }

  async #finishDone(
    message: MessageRecord,
    session: SessionRecord,
    outcome: Extract<TurnOutcome, { kind: "done" }>,
  ): Promise<void> {
    const { store, clock } = this.#around;
    const { rolloverTokens, rolloverKeep } = this.binding.options;
    let rollover: { contextFrom: number } | null = null;
    if (isDueToRollOver(outcome.usage.inputTokens, rolloverTokens)) {
      const before = await store.messages.context(session.id, session.contextFrom, message.seq);
      const exchanges = [...before, { seq: message.seq, content: message.content, reply: outcome.reply }];
      rollover = {
        contextFrom: freshContextFrom(exchanges, message.seq + 1, rolloverKeep, rolloverTokens),
      };
    }
    const finish = { message: message.id, lease: this.lease, result: outcome, rollover };
    await this.#store(() => store.messages.finish({ ...finish, at: clock.now() }));
  }

  async #endFailed(message: MessageRecord, failure: Failure, parkedUntil: number | null): Promise<void> {
    const { store, clock, random, retry } = this.#around;
    const attempted = { attempts: message.attempts, hasRolledOver: message.overflowed };
    const next = afterFailure(failure, attempted, retry(), random);
    const error = this.#errorOf(failure);
    switch (next.kind) {
      case "fail": {
        const finish = { message: message.id, lease: this.lease, result: { kind: "failed", error }, rollover: null } as const;
        await this.#store(() => store.messages.finish({ ...finish, at: clock.now() }));
        return;
      }
      case "retry":
        return this.#putBack(message, {
          reason: "retry",
          isCounted: true,
          error,
          retryAt: clock.now() + next.waitMs,
        });
      case "park":
        return this.#putBack(message, { reason: "retry", isCounted: false, error, announcedAt: parkedUntil });
      case "roll_over":
        return this.#putBack(message, {
          reason: "retry",
          isCounted: false,
          error,
          rollover: { contextFrom: message.seq },
        });
    }
    next satisfies never;
  }

  #errorOf({ kind, message, status }: Failure): MessageError {
    return { kind, message: this.#around.redact(message), ...(status !== undefined && { status }) };
  }

  async #putBack(
    message: MessageRecord,
    how: {
      reason: AbortReason | "retry";
      isCounted: boolean;
      error?: MessageError;
      retryAt?: number;
      announcedAt?: number | null;
      rollover?: { contextFrom: number };
    },
  ): Promise<void> {
    const { store, clock } = this.#around;
    const request = {
      message: message.id,
      lease: this.lease,
      reason: how.reason,
      isCounted: how.isCounted,
      error: how.error ?? null,
      retryAt: how.retryAt ?? null,
      announcedAt: how.announcedAt ?? how.retryAt ?? null,
      rollover: how.rollover ?? null,
    };
    await this.#store(() => store.messages.putBack({ ...request, at: clock.now() }));
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
        if (!isStorageFault(thrown) || this.isSpent) throw thrown;
        await this.#around.clock.sleep(storageRetryMs, this.#controller?.signal);
      }
    }
  }
}

function isStorageFault(thrown: unknown): boolean {
  return thrown instanceof SegueError && (thrown.code === "storage" || thrown.code === "storage_full");
}
