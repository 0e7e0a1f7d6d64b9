import type { MessageStatus } from "../../src/store/message.ts";
import type { Lease } from "../../src/store/turns.ts";

/** What may be asked of a store. `turn` and `message` pick one of all that there ever were, by its place. */
export type Operation =
  | { kind: "post"; session: string; count: number; key: string | null }
  | { kind: "claim"; session: string; holder: number; limit: number; isStale: boolean }
  /** `stranger` ends it in the place of who claimed it. */
  | { kind: "done" | "fail" | "overflow"; turn: number; stranger: number | null }
  | { kind: "putBack"; turn: number; stranger: number | null; isCounted: boolean; isAlone: boolean }
  | { kind: "cancel"; message: number }
  | { kind: "release"; session: string; holder: number }
  | { kind: "recover"; boot: string }
  | { kind: "reset" | "delete"; session: string };

/** Two generators of one boot, and one of another, in each session. */
export const holders = [
  { boot: "boot_1", generator: "gen_1" },
  { boot: "boot_1", generator: "gen_2" },
  { boot: "boot_2", generator: "gen_3" },
] as const;

/** What a holder claims under: a generator works for one session. */
export function leaseOf(holder: number, session: string): Lease {
  const { boot, generator } = holders[holder] ?? holders[0];
  return { boot, generator: `${generator} of ${session}` };
}

/** Small enough that both limits are met often. */
export const maxPending = 5;
export const maxAttempts = 3;

/** A message as the model knows it. */
export interface ModelMessage {
  id: string;
  session: string;
  seq: number;
  status: MessageStatus;
  attempts: number;
  repliedBy: string | null;
  crashes: number;
  isAlone: boolean;
  holder: number | null;
}

/** What was once claimed together. */
export interface ModelTurn {
  session: string;
  holder: number;
  ids: readonly string[];
}

interface ModelSession {
  nextSeq: number;
  epoch: number;
  turns: number;
  keys: Map<string, { count: number; ids: string[] }>;
}

/** What a store promises, in the plainest words that can be run. `apply` answers what the store has to. */
export class InboxModel {
  /** Of sessions that exist, in the order of acceptance. */
  messages: ModelMessage[] = [];
  readonly sessions = new Map<string, ModelSession>();
  /** How often each message that ended has ended. */
  readonly ends = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #turns: ModelTurn[] = [];

  /** The ids a post is to be sent with. */
  nextIds(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `msg_${this.#ids.length + index + 1}`);
  }

  messageAt(place: number): string {
    return this.#ids[place % Math.max(1, this.#ids.length)] ?? "msg_none";
  }

  turnAt(place: number): ModelTurn {
    const none = { session: "a", holder: 0, ids: ["msg_none"] };
    return this.#turns[place % Math.max(1, this.#turns.length)] ?? none;
  }

  pendingIn(session: string): ModelMessage[] {
    return this.messages.filter((message) => message.session === session && message.status === "pending");
  }

  apply(operation: Operation): unknown {
    switch (operation.kind) {
      case "post":
        return this.#post(operation);
      case "claim":
        return this.#claim(operation);
      case "done":
      case "fail":
      case "overflow":
        return this.#end(operation);
      case "putBack":
        return this.#putBack(operation);
      case "cancel":
        return this.#cancel(this.messageAt(operation.message));
      case "release":
        return this.#release(operation);
      case "recover":
        return this.#recover(operation.boot);
      case "reset":
        for (const message of this.pendingIn(operation.session)) message.attempts = 0;
        return undefined;
      case "delete":
        this.messages = this.messages.filter(({ session }) => session !== operation.session);
        return this.sessions.delete(operation.session);
    }
  }

  #post({ session: id, count, key }: Extract<Operation, { kind: "post" }>): string {
    const known = key === null ? undefined : this.sessions.get(id)?.keys.get(key);
    if (known) return known.count === count ? `replayed ${known.ids.join()}` : "conflict";
    if (this.pendingIn(id).length + count > maxPending) return "full";
    const session = this.sessions.get(id) ?? { nextSeq: 1, epoch: 1, turns: 0, keys: new Map() };
    this.sessions.set(id, session);
    const ids = this.nextIds(count);
    for (const message of ids) this.messages.push(newMessage(message, id, session.nextSeq++));
    this.#ids.push(...ids);
    if (key !== null) session.keys.set(key, { count, ids });
    return `accepted ${ids.join()}`;
  }

  #claim({ session, holder, limit, isStale }: Extract<Operation, { kind: "claim" }>): string {
    if (isStale) return "stale";
    const [first, ...others] = this.pendingIn(session).toSorted((a, b) => a.seq - b.seq);
    if (!first) return "nothing";
    const claimed = [first];
    for (const message of others) {
      if (first.isAlone || message.isAlone || claimed.length === limit) break;
      claimed.push(message);
    }
    for (const message of claimed) {
      message.status = "running";
      message.attempts += 1;
      message.holder = holder;
    }
    const ids = claimed.map(({ id }) => id);
    this.#turns.push({ session, holder, ids });
    return ids.join();
  }

  /** What of a turn is still held by whoever wants to end it. */
  #held({ ids }: ModelTurn, holder: number): ModelMessage[] {
    return this.messages.filter((message) => ids.includes(message.id) && message.holder === holder);
  }

  #end({ kind, turn: place, stranger }: { kind: string; turn: number; stranger: number | null }): boolean {
    const turn = this.turnAt(place);
    const held = this.#held(turn, stranger ?? turn.holder);
    const session = this.sessions.get(turn.session);
    if (held.length < turn.ids.length || !session) {
      for (const message of held) this.#return(message, { isCounted: false, isAlone: true });
      return false;
    }
    const last = turn.ids.at(-1) ?? "";
    for (const message of held) {
      this.#finish(message, kind === "fail" ? "failed" : "done");
      if (kind !== "fail" && message.id !== last) message.repliedBy = last;
    }
    if (kind !== "fail") session.turns += 1;
    if (kind === "overflow") session.epoch += 1;
    return true;
  }

  #finish(message: ModelMessage, status: MessageStatus): void {
    message.status = status;
    message.holder = null;
    this.ends.set(message.id, (this.ends.get(message.id) ?? 0) + 1);
  }

  #return(message: ModelMessage, how: { isCounted: boolean; isAlone: boolean }): void {
    message.status = "pending";
    message.holder = null;
    message.isAlone ||= how.isAlone;
    if (!how.isCounted) message.attempts -= 1;
  }

  #putBack(operation: Extract<Operation, { kind: "putBack" }>): boolean {
    const turn = this.turnAt(operation.turn);
    const held = this.#held(turn, operation.stranger ?? turn.holder);
    for (const message of held) this.#return(message, operation);
    return held.length > 0;
  }

  #cancel(id: string): boolean | undefined {
    const message = this.messages.find((one) => one.id === id);
    if (!message) return undefined;
    if (message.status !== "pending" && message.status !== "running") return false;
    this.#finish(message, "cancelled");
    return true;
  }

  #release({ session, holder }: Extract<Operation, { kind: "release" }>): number {
    const held = this.messages.filter((message) => message.session === session && message.holder === holder);
    for (const message of held) this.#return(message, { isCounted: false, isAlone: false });
    return held.length;
  }

  #recover(boot: string): { requeued: number; failed: number } {
    const counts = { requeued: 0, failed: 0 };
    const held = this.messages.filter(({ holder }) => holder !== null && holders[holder]?.boot !== boot);
    const turns = Map.groupBy(held, ({ holder, session }) => `${holder} ${session}`);
    for (const [message, isBatch] of held.map((one) => [one, sizeOf(turns, one) > 1] as const)) {
      const isFoundAgain = message.crashes > 0;
      message.crashes += 1;
      if (isFoundAgain && !isBatch && message.attempts >= maxAttempts) {
        this.#finish(message, "failed");
        counts.failed += 1;
      } else {
        this.#return(message, { isCounted: isFoundAgain && !isBatch, isAlone: isFoundAgain });
        counts.requeued += 1;
      }
    }
    return counts;
  }
}

/** How many messages are in the turn of one. */
function sizeOf(turns: ReadonlyMap<string, ModelMessage[]>, { holder, session }: ModelMessage): number {
  return turns.get(`${holder} ${session}`)?.length ?? 0;
}

function newMessage(id: string, session: string, seq: number): ModelMessage {
  return {
    id,
    session,
    seq,
    status: "pending",
    attempts: 0,
    repliedBy: null,
    crashes: 0,
    isAlone: false,
    holder: null,
  };
}
