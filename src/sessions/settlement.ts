import { isStorageFault } from "../core/errors.ts";
import type { MessageError } from "../core/events.ts";
import type { Consequence, Permit } from "../providers/gate.ts";
import { identityOf } from "../providers/identity.ts";
import type { Failure } from "../providers/provider.ts";
import type { Lease } from "../store/store.ts";
import type { Binding } from "./binding.ts";
import { type Claimed, contentOf, idsOf, lastOf } from "./claimed.ts";
import { freshContextFrom, isDueToRollOver } from "./context.ts";
import { afterFailure } from "./retry.ts";
import type { Surroundings } from "./surroundings.ts";
import { type AbortReason, type TurnEnd, attemptedBy, endOfAborted, endOfFailed } from "./turn-end.ts";
import type { TurnOutcome } from "./turn.ts";

type Done = Extract<TurnOutcome, { kind: "done" }>;

/** While the store has no room or does not answer, it is tried again this often. */
export const storageRetryMs = 1000;

/** What a settlement knows of its generator. */
export interface SettlementParts {
  around: Surroundings;
  lease: Lease;
  binding: Binding;
  /** Why the generator was aborted; undefined where it was not. */
  abortReason: () => AbortReason | undefined;
}

/** Ends the turns of one generator: gives the slot back with its verdict, then stores what became of the messages. */
export class Settlement {
  readonly #parts: SettlementParts;

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /** Resolves when the end is stored. */
  async settle(permit: Permit<Binding>, claimed: Claimed, outcome: TurnOutcome): Promise<void> {
    const { candidate } = permit;
    switch (outcome.kind) {
      case "done":
        permit.release({ kind: "answered", usage: outcome.usage });
        return this.#storeReply(candidate, claimed, outcome);
      case "failed":
        return this.#store(
          candidate,
          claimed,
          this.#endOfFailed(claimed, outcome.failure, permit.release(outcome)),
        );
      case "aborted":
        permit.release({ kind: "none" });
        return this.#store(candidate, claimed, endOfAborted(this.#parts.abortReason()));
    }
    outcome satisfies never;
  }

  async #storeReply(ranUnder: Binding, claimed: Claimed, done: Done): Promise<void> {
    const { rolloverTokens } = this.#parts.binding.options;
    const rollover = isDueToRollOver(done.usage.inputTokens, rolloverTokens)
      ? await this.#freshContext(claimed, done.reply)
      : null;
    await this.#store(ranUnder, claimed, { kind: "finish", result: done, rollover });
  }

  async #freshContext(claimed: Claimed, reply: string): Promise<{ contextFrom: number }> {
    const { around, binding } = this.#parts;
    const { rolloverTokens, rolloverKeep } = binding.options;
    const { session, messages } = claimed;
    const { seq } = messages[0];
    const before = await around.store.messages.context(session.id, session.contextFrom, seq);
    const exchanges = [...before, { seq, note: null, content: contentOf(claimed), reply }];
    return {
      contextFrom: freshContextFrom(exchanges, lastOf(claimed).seq + 1, rolloverKeep, rolloverTokens),
    };
  }

  #endOfFailed(claimed: Claimed, failure: Failure, consequence: Consequence): TurnEnd {
    const { clock, random, retry } = this.#parts.around;
    const next = afterFailure(failure, attemptedBy(claimed), retry(), random);
    return endOfFailed(next, { claimed, error: this.#errorOf(failure), consequence, now: clock.now() });
  }

  #errorOf({ kind, message, status }: Failure): MessageError {
    return { kind, message: this.#parts.around.redact(message), ...(status !== undefined && { status }) };
  }

  /**
   * Stores the end of a turn, however long it takes until there is room: a reply is not thrown away because the
   * disk is full. Once aborted it tries only once: the next start returns the message.
   */
  async #store(ranUnder: Binding, claimed: Claimed, end: TurnEnd): Promise<void> {
    const { around, abortReason } = this.#parts;
    for (;;) {
      try {
        await this.#write(ranUnder, claimed, end);
        return;
      } catch (thrown) {
        if (!isStorageFault(thrown) || abortReason() !== undefined) throw thrown;
        await around.clock.sleep(storageRetryMs);
      }
    }
  }

  #write(ranUnder: Binding, claimed: Claimed, end: TurnEnd): Promise<unknown> {
    const { around, lease } = this.#parts;
    const { messages } = around.store;
    const whose = { messages: idsOf(claimed), lease, at: around.clock.now() };
    if (end.kind === "put_back") return messages.putBack({ ...whose, ...end.how });
    const { result, rollover } = end;
    return messages.finish({ ...whose, result, rollover, identity: identityOf(ranUnder.config).binding });
  }
}
