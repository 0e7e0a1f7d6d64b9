import type { Usage } from "../../src/core/events.ts";
import type { MessageRecord } from "../../src/store/message.ts";
import type { SessionRecord } from "../../src/store/sessions.ts";
import type { Store } from "../../src/store/store.ts";
import type { ClaimRequest, FinishRequest, Lease, PutBackRequest } from "../../src/store/turns.ts";
import { noon } from "./store-under-test.ts";

/** What `Holder.done` may be told; the rest is filled in. */
export interface DoneWith {
  reply?: string;
  usage?: Usage;
  rollover?: FinishRequest["rollover"];
  identity?: string;
  at?: number;
}

/** A message, or anything else that has its id. */
type Identified = Pick<MessageRecord, "id">;

/** Takes messages and ends their turns as a generator does: under one lease, everything of no concern filled in. */
export class Holder {
  readonly lease: Lease;
  readonly #store: Store;

  constructor(store: Store, lease: Partial<Lease> = {}) {
    this.#store = store;
    this.lease = { boot: "boot_1", generator: "gen_1", ...lease };
  }

  /** What a claim answers: the messages of one turn, or why there are none. */
  async claimAll(
    session: string,
    more: Partial<ClaimRequest> = {},
  ): Promise<MessageRecord[] | "nothing" | "stale"> {
    const result = await this.#store.messages.claim({
      session,
      lease: this.lease,
      newestRevision: 0,
      revision: 0,
      limit: 1,
      provider: "echo",
      model: "echo",
      fallbackFrom: null,
      at: noon,
      events: [],
      ...more,
    });
    return result.kind === "claimed" ? result.messages : result.kind;
  }

  /** Claims one message. */
  async claim(
    session: string,
    more: Partial<ClaimRequest> = {},
  ): Promise<MessageRecord | "nothing" | "stale"> {
    const claimed = await this.claimAll(session, more);
    if (typeof claimed === "string") return claimed;
    const [message, ...others] = claimed;
    if (!message || others.length > 0) throw new Error(`a claim of one got ${claimed.length}`);
    return message;
  }

  /** Claims one message that has to be there. */
  async take(session: string, more: Partial<ClaimRequest> = {}): Promise<MessageRecord> {
    const taken = await this.claim(session, more);
    if (typeof taken === "string") throw new Error(`the claim in ${session} answered ${taken}`);
    return taken;
  }

  /** Claims up to `limit` messages for one turn; there has to be one. */
  async takeBatch(session: string, limit: number): Promise<MessageRecord[]> {
    const taken = await this.claimAll(session, { limit });
    if (typeof taken === "string") throw new Error(`the claim in ${session} answered ${taken}`);
    return taken;
  }

  /** Ends a turn well; undefined where the lease does not hold all its messages. */
  doneAll(messages: readonly string[], more: DoneWith = {}): Promise<SessionRecord | undefined> {
    const { reply = "fine", usage = { inputTokens: 10, outputTokens: 5 }, rollover = null, at = noon } = more;
    const result = { kind: "done", reply, finish: "stop", usage } as const;
    const identity = more.identity ?? "endpoint, key and model, by hash";
    return this.#store.messages.finish({ messages, lease: this.lease, result, rollover, identity, at });
  }

  /** Ends a turn of one message well. */
  done({ id }: Identified, more: DoneWith = {}): Promise<SessionRecord | undefined> {
    return this.doneAll([id], more);
  }

  /** Ends a turn as failed; undefined as for `doneAll`. */
  failAll(messages: readonly string[], at: number = noon): Promise<SessionRecord | undefined> {
    const result = {
      kind: "failed",
      error: { kind: "invalid_request", message: "no", status: 400 },
    } as const;
    const { lease } = this;
    return this.#store.messages.finish({ messages, lease, result, rollover: null, identity: "", at });
  }

  /** Ends a turn of one message as failed. */
  fail({ id }: Identified, at: number = noon): Promise<SessionRecord | undefined> {
    return this.failAll([id], at);
  }

  /** Puts messages back, uncounted unless it is said; undefined where the lease holds none of them. */
  putBackAll(
    messages: readonly string[],
    more: Partial<PutBackRequest> = {},
  ): Promise<SessionRecord | undefined> {
    return this.#store.messages.putBack({
      messages,
      lease: this.lease,
      reason: "retry",
      isCounted: false,
      error: null,
      retryAt: null,
      announcedAt: null,
      rollover: null,
      isAlone: false,
      at: noon,
      ...more,
    });
  }

  /** Puts one message back. */
  putBack({ id }: Identified, more: Partial<PutBackRequest> = {}): Promise<SessionRecord | undefined> {
    return this.putBackAll([id], more);
  }
}
