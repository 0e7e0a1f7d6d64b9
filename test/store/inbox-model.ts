import type { MessageStatus } from "../../src/store/store.ts";

/** What may be asked of a store; `message` picks one of those that were ever accepted, by its place. */
export type Operation =
  | { kind: "post"; session: string; count: number; key: string | null }
  | { kind: "claim"; session: string; holder: number; isStale: boolean }
  | { kind: "done" | "fail" | "overflow"; message: number; holder: number }
  | { kind: "putBack"; message: number; holder: number; isCounted: boolean }
  | { kind: "cancel"; message: number }
  | { kind: "release"; holder: number }
  | { kind: "recover"; boot: string }
  | { kind: "reset" | "delete"; session: string };

/** Who claims: two generators of one boot, and one of another. */
export const leases = [
  { boot: "boot_1", generator: "gen_1" },
  { boot: "boot_1", generator: "gen_2" },
  { boot: "boot_2", generator: "gen_3" },
] as const;

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
  crashes: number;
  holder: number | null;
}

interface ModelSession {
  nextSeq: number;
  epoch: number;
  turns: number;
  keys: Map<string, { count: number; ids: string[] }>;
}

/** What a store promises, in the plainest words that can be run. Every method answers what the store has to. */
export class InboxModel {
  /** Of sessions that exist, in the order of acceptance. */
  messages: ModelMessage[] = [];
  readonly sessions = new Map<string, ModelSession>();
  /** Every id that was ever accepted. */
  readonly ids: string[] = [];
  /** How often each message that ended has ended. */
  readonly ends = new Map<string, number>();

  /** The ids a post is to be sent with. */
  nextIds(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `msg_${this.ids.length + index + 1}`);
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
        return this.#cancel(this.idAt(operation.message));
      case "release":
        return this.#release(operation.holder);
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

  idAt(place: number): string {
    return this.ids[place % Math.max(1, this.ids.length)] ?? "msg_none";
  }

  pendingIn(session: string): ModelMessage[] {
    return this.messages.filter((message) => message.session === session && message.status === "pending");
  }

  #post({ session: id, count, key }: Extract<Operation, { kind: "post" }>): string {
    const known = key === null ? undefined : this.sessions.get(id)?.keys.get(key);
    if (known) return known.count === count ? `replayed ${known.ids.join()}` : "conflict";
    if (this.pendingIn(id).length + count > maxPending) return "full";
    const session = this.sessions.get(id) ?? { nextSeq: 1, epoch: 1, turns: 0, keys: new Map() };
    this.sessions.set(id, session);
    const ids = this.nextIds(count);
    for (const message of ids) {
      const seq = session.nextSeq++;
      this.messages.push({
        id: message,
        session: id,
        seq,
        status: "pending",
        attempts: 0,
        crashes: 0,
        holder: null,
      });
    }
    this.ids.push(...ids);
    if (key !== null) session.keys.set(key, { count, ids });
    return `accepted ${ids.join()}`;
  }

  #claim({ session, holder, isStale }: Extract<Operation, { kind: "claim" }>): string {
    if (isStale) return "stale";
    const [message] = this.pendingIn(session).toSorted((a, b) => a.seq - b.seq);
    if (!message) return "nothing";
    message.status = "running";
    message.attempts += 1;
    message.holder = holder;
    return message.id;
  }

  #held(place: number, holder: number): ModelMessage | undefined {
    const id = this.idAt(place);
    return this.messages.find((message) => message.id === id && message.holder === holder);
  }

  #end({ kind, message: place, holder }: { kind: string; message: number; holder: number }): boolean {
    const message = this.#held(place, holder);
    const session = message && this.sessions.get(message.session);
    if (!message || !session) return false;
    this.#finish(message, kind === "fail" ? "failed" : "done");
    if (kind !== "fail") session.turns += 1;
    if (kind === "overflow") session.epoch += 1;
    return true;
  }

  #finish(message: ModelMessage, status: MessageStatus): void {
    message.status = status;
    message.holder = null;
    this.ends.set(message.id, (this.ends.get(message.id) ?? 0) + 1);
  }

  #return(message: ModelMessage, isCounted: boolean): void {
    message.status = "pending";
    message.holder = null;
    if (!isCounted) message.attempts -= 1;
  }

  #putBack({ message: place, holder, isCounted }: Extract<Operation, { kind: "putBack" }>): boolean {
    const message = this.#held(place, holder);
    if (message) this.#return(message, isCounted);
    return message !== undefined;
  }

  #cancel(id: string): boolean | undefined {
    const message = this.messages.find((one) => one.id === id);
    if (!message) return undefined;
    if (message.status !== "pending" && message.status !== "running") return false;
    this.#finish(message, "cancelled");
    return true;
  }

  #release(holder: number): number {
    const held = this.messages.filter((message) => message.holder === holder);
    for (const message of held) this.#return(message, false);
    return held.length;
  }

  #recover(boot: string): { requeued: number; failed: number } {
    const counts = { requeued: 0, failed: 0 };
    for (const message of this.messages) {
      if (message.holder === null || leases[message.holder]?.boot === boot) continue;
      message.crashes += 1;
      if (message.crashes > 1 && message.attempts >= maxAttempts) {
        this.#finish(message, "failed");
        counts.failed += 1;
      } else {
        this.#return(message, message.crashes > 1);
        counts.requeued += 1;
      }
    }
    return counts;
  }
}
