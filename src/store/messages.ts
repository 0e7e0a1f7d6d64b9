import type { AcceptRequest, AcceptResult, RetryRequest, RetryResult } from "./inbox.ts";
import type { MessageRecord, MessageStatus } from "./message.ts";
import type { Page, PageRequest } from "./page.ts";
import type { SessionRecord } from "./sessions.ts";
import type {
  ClaimRequest,
  ClaimResult,
  Exchange,
  FinishRequest,
  Lease,
  PendingHead,
  PutBackRequest,
} from "./turns.ts";

/** The messages, from being accepted to their end. */
export interface MessageStore {
  /** Takes messages into a session's inbox, all or none; makes the session if it is new. Tells `message.accepted`. */
  accept(request: AcceptRequest): Promise<AcceptResult>;
  /** Takes the contents of failed messages into the inbox again, in order, all or none. Tells `message.accepted`. */
  retry(request: RetryRequest): Promise<RetryResult>;
  get(id: string): Promise<MessageRecord | undefined>;
  /** By `seq` within a session. A page of long messages may have fewer than were asked for. */
  list(
    filter: { session?: string; status?: MessageStatus; after?: number },
    page: PageRequest,
  ): Promise<Page<MessageRecord>>;
  /** The pending message with the lowest `seq`; `crashes`: how often the daemon crashed while it was in flight. */
  head(session: string): Promise<PendingHead | undefined>;
  /** Gives the pending message with the lowest `seq` to `lease`. Tells `message.started`. */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /**
   * Ends a turn; undefined where the lease no longer holds all of its messages: nothing is then stored, and those
   * it does hold are put back to be taken alone.
   */
  finish(request: FinishRequest): Promise<SessionRecord | undefined>;
  /** Makes running messages pending again, under their own `seq`; undefined where the lease holds none of them. */
  putBack(request: PutBackRequest): Promise<SessionRecord | undefined>;
  /** Ends a message that is pending or running as `cancelled`; undefined where there is none. */
  cancel(id: string, at: number): Promise<{ isCancelled: boolean; message: MessageRecord } | undefined>;
  /** Makes whatever a generator still holds pending again, uncounted: it ended by a fault of its own. */
  release(lease: Lease, at: number): Promise<number>;
  /** Makes whatever other boots still hold pending again, uncounted: what a drain could not put back itself. */
  takeBack(boot: string, at: number): Promise<number>;
  /** Forgets the attempts and waits of pending messages: the session moved to another binding. */
  resetAttempts(session: string): Promise<void>;
  /** The exchanges of a session's present context, oldest first, up to `before` (exclusive). */
  context(session: string, from: number, before: number): Promise<Exchange[]>;
  /**
   * Returns the leases of every other boot: interrupted messages become pending again; from the second crash
   * that finds the same message in flight the attempt counts, and at `maxAttempts` it ends as failed. A batch
   * that is found in flight again is taken one by one first.
   */
  recover(boot: string, maxAttempts: number, at: number): Promise<{ requeued: number; failed: number }>;
}
