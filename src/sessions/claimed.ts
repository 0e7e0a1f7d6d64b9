import type { ClaimResult, Exchange } from "../store/turns.ts";
import type { Binding } from "./binding.ts";
import { contextTurns, noteTurns } from "./context.ts";
import type { TurnOrder } from "./turn.ts";

/** The messages of one turn, and their session as the claim found it. */
export type Claimed = Extract<ClaimResult, { kind: "claimed" }>;

/** How many messages one turn takes at most; `batchMax` 0 means all that is pending. */
export function messagesPerTurn({ options }: Binding): number {
  if (options.mode === "single") return 1;
  return options.batchMax === 0 ? Number.MAX_SAFE_INTEGER : options.batchMax;
}

/** The ids of its messages, by `seq`. */
export function idsOf({ messages }: Claimed): string[] {
  return messages.map((message) => message.id);
}

/** Whether any of its messages is among these. */
export function hasAnyOf({ messages }: Claimed, ids: ReadonlySet<string> | undefined): boolean {
  return messages.some((message) => ids?.has(message.id));
}

/** The last of its messages: the one that gets the reply. */
export function lastOf({ messages }: Claimed): Claimed["messages"][0] {
  return messages.at(-1) ?? messages[0];
}

/** What is said in the turn: a batch goes into it in order, joined by blank lines (contract section 4). */
export function contentOf({ messages }: Claimed): string {
  return messages.map((message) => message.content).join("\n\n");
}

/** What the turn asks of a provider, in the context of its session and with what the daemon has to say. */
export function turnOrder(
  claimed: Claimed,
  { options }: Binding,
  exchanges: readonly Exchange[],
  note: string | null,
): TurnOrder {
  const { system, timeoutMs, maxDurationMs } = options;
  return {
    session: claimed.session.id,
    system,
    turns: [...contextTurns(exchanges), ...noteTurns(note)],
    content: contentOf(claimed),
    timeoutMs,
    maxDurationMs,
  };
}
