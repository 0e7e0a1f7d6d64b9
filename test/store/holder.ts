import type { Usage } from "../../src/core/events.ts";
import type {
  ClaimRequest,
  FinishRequest,
  Lease,
  MessageRecord,
  PutBackRequest,
  SessionRecord,
  Store,
} from "../../src/store/store.ts";
import { noon } from "./store-under-test.ts";

/** What `Holder.done` may be told; the rest is filled in. */
export interface DoneWith {
  reply?: string;
  usage?: Usage;
  rollover?: FinishRequest["rollover"];
  at?: number;
}

/** Takes messages and ends their turns as a generator does: under one lease, everything of no concern filled in. */
export class Holder {
  readonly lease: Lease;
  readonly #store: Store;

  constructor(store: Store, lease: Partial<Lease> = {}) {
    this.#store = store;
    this.lease = { boot: "boot_1", generator: "gen_1", ...lease };
  }

  /** What a claim answers: the message, or why there is none. */
  async claim(
    session: string,
    more: Partial<ClaimRequest> = {},
  ): Promise<MessageRecord | "nothing" | "stale"> {
    const result = await this.#store.messages.claim({
      session,
      lease: this.lease,
      revision: 0,
      provider: "echo",
      model: "echo",
      fallbackFrom: null,
      at: noon,
      events: [],
      ...more,
    });
    return result.kind === "claimed" ? result.message : result.kind;
  }

  /** Claims what has to be there. */
  async take(session: string, more: Partial<ClaimRequest> = {}): Promise<MessageRecord> {
    const taken = await this.claim(session, more);
    if (typeof taken === "string") throw new Error(`the claim in ${session} answered ${taken}`);
    return taken;
  }

  /** Ends a turn well; undefined where the lease does not hold the message. */
  done({ id }: { id: string }, more: DoneWith = {}): Promise<SessionRecord | undefined> {
    const { reply = "fine", usage = { inputTokens: 10, outputTokens: 5 }, rollover = null, at = noon } = more;
    const result = { kind: "done", reply, finish: "stop", usage } as const;
    return this.#store.messages.finish({ message: id, lease: this.lease, result, rollover, at });
  }

  /** Ends a turn as failed; undefined as for `done`. */
  fail({ id }: { id: string }, at: number = noon): Promise<SessionRecord | undefined> {
    const result = {
      kind: "failed",
      error: { kind: "invalid_request", message: "no", status: 400 },
    } as const;
    return this.#store.messages.finish({ message: id, lease: this.lease, result, rollover: null, at });
  }

  /** Puts a message back, uncounted unless it is said; undefined as for `done`. */
  putBack({ id }: { id: string }, more: Partial<PutBackRequest> = {}): Promise<SessionRecord | undefined> {
    return this.#store.messages.putBack({
      message: id,
      lease: this.lease,
      reason: "retry",
      isCounted: false,
      error: null,
      retryAt: null,
      announcedAt: null,
      rollover: null,
      at: noon,
      ...more,
    });
  }
}
