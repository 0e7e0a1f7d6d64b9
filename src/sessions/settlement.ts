import { isStorageFault } from "../core/errors.ts";
import type { MessageError } from "../core/events.ts";
import { identityOf } from "../providers/identity.ts";
import type { Permit } from "../providers/permit.ts";
import type { Failure } from "../providers/provider.ts";
import type { Lease } from "../store/turns.ts";
import type { Binding } from "./binding.ts";
import { type Claimed, contentOf, idsOf, lastOf } from "./claimed.ts";
import { freshContextFrom, isDueToRollOver } from "./context.ts";
import { afterFailure } from "./retry.ts";
import type { Surroundings } from "./surroundings.ts";
import { type AbortReason, type TurnEnd, attemptedBy, endOfAborted, endOfFailed } from "./turn-end.ts";
import type { TurnOutcome } from "./turn.ts";

type Done = Extract<TurnOutcome, { kind: "done" }>;
type Failed = Extract<TurnOutcome, { kind: "failed" }>;

/** While the store has no room or does not answer, it is tried again this often. */
export const storageRetryMs = 1000;

/** The turn that a settlement is of, and what it needs of its generator. */
export interface SettlementParts {
  around: Surroundings;
  lease: Lease;
  /** The generator's own; the turn may have run under a fallback. */
  binding: Binding;
  permit: Permit<Binding>;
  claimed: Claimed;
  /** Why the generator was aborted; undefined where it was not. */
  abortReason: () => AbortReason | undefined;
}

/** The end of one turn: gives the slot back with the verdict, then stores what became of the messages. */
export class Settlement {
  readonly #parts: SettlementParts;
  readonly #endedAt: number;

  /** To be made when the turn has ended. */
  constructor(parts: SettlementParts) {
    this.#parts = parts;
    this.#endedAt = parts.around.clock.now();
  }

  /** Resolves when the end is stored. */
  async settle(outcome: TurnOutcome): Promise<void> {
    const { permit, abortReason } = this.#parts;
    switch (outcome.kind) {
      case "done":
        permit.release({ kind: "answered", usage: outcome.usage });
        return this.#storeReply(outcome);
      case "failed":
        return this.#store(this.#endOfFailed(outcome));
      case "aborted":
        permit.release({ kind: "none" });
        return this.#store(endOfAborted(abortReason()));
    }
    outcome satisfies never;
  }

  async #storeReply(done: Done): Promise<void> {
    const { rolloverTokens } = this.#parts.binding.options;
    const rollover = isDueToRollOver(done.usage.inputTokens, rolloverTokens)
      ? await this.#freshContext(done.reply)
      : null;
    await this.#store({ kind: "finish", result: done, rollover });
  }

  async #freshContext(reply: string): Promise<{ contextFrom: number }> {
    const { around, binding, claimed } = this.#parts;
    const { rolloverTokens, rolloverKeep } = binding.options;
    const { session, messages } = claimed;
    const { seq } = messages[0];
    const before = await around.store.messages.context(session.id, session.contextFrom, seq);
    const exchanges = [...before, { seq, note: null, content: contentOf(claimed), reply }];
    const next = lastOf(claimed).seq + 1;
    return { contextFrom: freshContextFrom(exchanges, next, rolloverKeep, rolloverTokens) };
  }

  #endOfFailed(failed: Failed): TurnEnd {
    const { around, permit, claimed } = this.#parts;
    const consequence = permit.release(failed);
    const { failure } = failed;
    const next = afterFailure(failure, attemptedBy(claimed), around.retry(), around.random);
    return endOfFailed(next, {
      claimed,
      error: this.#errorOf(failure),
      consequence,
      now: around.clock.now(),
    });
  }

  #errorOf({ kind, message, status }: Failure): MessageError {
    return { kind, message: this.#parts.around.redact(message), ...(status !== undefined && { status }) };
  }

  /**
   * Stores the end of a turn, however long it takes until there is room: a reply is not thrown away because the
   * disk is full. Once aborted it tries only once: the next start returns the message.
   */
  async #store(end: TurnEnd): Promise<void> {
    const { around, abortReason } = this.#parts;
    for (;;) {
      try {
        await this.#write(end);
        return;
      } catch (thrown) {
        if (!isStorageFault(thrown) || abortReason() !== undefined) throw thrown;
        await around.clock.sleep(storageRetryMs);
      }
    }
  }

  #write(end: TurnEnd): Promise<unknown> {
    const { around, lease, permit, claimed } = this.#parts;
    const { messages } = around.store;
    const whose = { messages: idsOf(claimed), lease };
    if (end.kind === "put_back") return messages.putBack({ ...whose, at: around.clock.now(), ...end.how });
    const { result, rollover } = end;
    const identity = identityOf(permit.candidate.config).binding;
    // 1. However late it is stored: its tokens are of the day on which the gate has counted them.
    return messages.finish({ ...whose, at: this.#endedAt, result, rollover, identity });
  }
}
