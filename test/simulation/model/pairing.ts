import type { Call } from "./calls.ts";
import { quoted } from "./calls.ts";
import type { Turn } from "./inboxes.ts";
import { expect } from "./violation.ts";

/** A turn that is over, and its call; undefined where none was made. */
export type Pair = { turn: Turn; call: Call | undefined };

/**
 * Finds the call of each turn: turns and calls of a session follow one another, so that the first call that lies
 * within a turn and says what its messages say is the turn's. A call that belongs to no turn was made for nothing.
 */
export class Pairing {
  readonly #calls = new Map<string, Call[]>();
  /** Ended by a cancel before their call was seen, if there was one. */
  readonly #late = new Map<string, Turn[]>();
  readonly #contentOf: (message: string) => string | undefined;

  readonly #diedAt = new Map<number, number>();
  readonly #bootedAt = new Map<number, number>();

  constructor(contentOf: (message: string) => string | undefined) {
    this.#contentOf = contentOf;
  }

  /** A process starts. */
  booted(boot: number, at: number): void {
    this.#bootedAt.set(boot, at);
  }

  /** A process is gone. */
  died(boot: number, at: number): void {
    this.#diedAt.set(boot, at);
  }

  /** A call begins. */
  called(call: Call): void {
    const calls = this.#calls.get(call.session);
    if (calls) calls.push(call);
    else this.#calls.set(call.session, [call]);
  }

  /** A turn has ended: its call has begun before, if it had one. */
  ended(turn: Turn): Pair {
    const calls = this.#calls.get(turn.session) ?? [];
    const index = calls.findIndex((call) => this.#isOf(turn, call));
    if (index === -1) {
      if (turn.end?.kind !== "done")
        this.#late.set(turn.session, [...(this.#late.get(turn.session) ?? []), turn]);
      return { turn, call: undefined };
    }
    const [call] = calls.splice(index, 1);
    for (const earlier of calls.splice(0, index)) this.#expectWanted(earlier);
    if (call) call.isPaired = true;
    return { turn, call };
  }

  /** Nothing is under way: no call is left without a turn. */
  atRest(): void {
    for (const calls of this.#calls.values()) for (const call of calls.splice(0)) this.#expectWanted(call);
    this.#late.clear();
  }

  /** Section 1.5: nothing but a message that was taken makes a call. */
  #expectWanted(call: Call): void {
    const late = this.#late.get(call.session) ?? [];
    const isWanted = late.some((turn) => this.#isOf(turn, call));
    expect(
      isWanted,
      "free",
      () => `${call.session} called at ${call.at} for no message: ${quoted(call.content)}`,
    );
  }

  #isOf({ messages, startedAt, end }: Turn, call: Call): boolean {
    // 2. What was in flight at a crash was of a process that is dead.
    const isOfDead = end?.error === "interrupted" && end.kind === "requeued" && end.reason === "crash";
    if (isOfDead && (this.#diedAt.get(call.boot) ?? Infinity) > end.at) return false;
    // 1. A process makes no call for a turn that another one began.
    if ((this.#bootedAt.get(call.boot) ?? 0) > startedAt) return false;
    // 3. A call goes on after its turn only where it is aborted, or is about to be.
    if (end && end.kind !== "cancelled" && isOpen(call)) return false;
    if (end && call.endedAt !== undefined && call.endedAt > end.at) return false;
    const isWithin = call.at >= startedAt && (end === undefined || call.at <= end.at + lateMs(end.kind));
    return isWithin && this.#says(messages, call.content);
  }

  #says(messages: Turn["messages"], content: string): boolean {
    const contents = messages.map(({ id }) => this.#contentOf(id));
    return contents.includes(undefined) || contents.join("\n\n") === content;
  }
}

/** Who is cancelled in the moment of a call may see it begin. */
function lateMs(kind: string): number {
  return kind === "cancelled" ? 5000 : 0;
}

/** Whether a call has not ended in any way. */
function isOpen({ endedAt, abortedAt, lostAt }: Call): boolean {
  return endedAt === undefined && abortedAt === undefined && lostAt === undefined;
}
